"""What the command line tells the server."""

from dataclasses import dataclass

DEFAULT_GRACE_S = 3.0


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where to serve and how to stop. `grace_s`: seconds from SIGTERM to the SIGKILL that somebody may send."""

    host: str = "127.0.0.1"
    port: int = 8000
    grace_s: float = DEFAULT_GRACE_S

    @property
    def drain_s(self) -> float:
        """How long open requests may go on after SIGTERM; the rest of the grace is for the shutdown hooks."""
        return self.grace_s - self.hooks_s

    @property
    def hooks_s(self) -> float:
        """How long the modules' shutdown hooks may take together."""
        return min(1.0, self.grace_s / 3)
