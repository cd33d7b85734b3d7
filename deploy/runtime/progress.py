"""What long work tells whoever watches: the command line draws it, tests record it, `--json` ignores it."""

from typing import Protocol


class Progress(Protocol):
    """Called from one thread."""

    def note(self, text: str) -> None:
        """Something worth a line of its own."""

    def stage(self, text: str) -> None:
        """What is being done now."""

    def process(self, name: str, state: str, detail: str = "") -> None:
        """A process reached a state: starting, healthy, stopped, failed …"""


class Silent:
    """Tells nobody."""

    def note(self, text: str) -> None:
        pass

    def stage(self, text: str) -> None:
        pass

    def process(self, name: str, state: str, detail: str = "") -> None:
        pass
