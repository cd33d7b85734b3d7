"""What a generation tells its parent over a pipe, once: that it serves, or why it does not."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import PurePath

# The end of a traceback says most; a pipe is not the place for all of a very deep one.
MAX_TRACEBACK = 16_000


@dataclass(frozen=True, slots=True)
class Ready:
    """The generation serves. `loaded`: the files of the package it has loaded, relative to it."""

    loaded: tuple[str, ...]

    @property
    def paths(self) -> tuple[PurePath, ...]:
        """The loaded files as paths."""
        return tuple(PurePath(name) for name in self.loaded)


@dataclass(frozen=True, slots=True)
class Failed:
    """The generation could not start: where and why in one line, and the traceback if that says more."""

    reason: str
    traceback: str


Report = Ready | Failed


def send_report(descriptor: int, report: Report) -> None:
    """Write the report to the pipe and close it: the end of the stream is the end of the report."""
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(json.dumps({"ready": isinstance(report, Ready), **asdict(report)}).encode())


def parse_report(text: bytes) -> Report:
    """The report in `text`. Raises ValueError for anything else, such as half of one."""
    fields = json.loads(text)
    if fields.pop("ready"):
        return Ready(loaded=tuple(fields["loaded"]))
    return Failed(**fields)
