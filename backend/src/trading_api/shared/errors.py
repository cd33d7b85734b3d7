"""What can be wrong with a module, and where an error came from."""

import traceback
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Place:
    """A line in a source file; `line` 0 means the file as a whole."""

    file: str
    line: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class ModuleError(Exception):
    """A module that cannot be served. Says which, where and why; the cause, if any, is chained."""

    def __init__(self, module: str, place: Place, reason: str) -> None:
        super().__init__(f"module {module!r} cannot be served: {place}: {reason}")
        self.module = module
        self.place = place
        self.reason = reason


def place_of(error: BaseException, inside: Path) -> Place:
    """The deepest line below the folder `inside` that `error` went through; `inside` itself if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return Place(error.filename, error.lineno or 0)
    frames = [
        frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename).is_relative_to(inside)
    ]
    return Place(frames[-1].filename, frames[-1].lineno or 0) if frames else Place(str(inside))


def describe(error: BaseException) -> str:
    """`error` in one line: its kind and what it says."""
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
