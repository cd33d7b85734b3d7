"""What can be wrong with the routers of a module."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trading_api.shared.errors import ModuleError, Place


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A mistake in a declaration file. `line` and `column` count from 1; `hint` says what to write instead."""

    file: str
    line: int
    column: int
    reason: str
    hint: str = ""

    def __str__(self) -> str:
        said = f"{self.file}:{self.line}:{self.column}: {self.reason}"
        return f"{said}; {self.hint}" if self.hint else said


class RoutersError(ModuleError, RuntimeError):
    """The routers of a module cannot be used. The subclasses say why."""

    def __init__(self, module: str, place: Place, reason: str) -> None:
        super().__init__(module, place, reason)
        self.args = (f"module {module!r}: {place}: {reason}",)


class DeclarationError(RoutersError):
    """The declarations have mistakes; `problems` lists every one. Nothing was written."""

    def __init__(self, module: str, problems: Sequence[Problem]) -> None:
        first = problems[0]
        super().__init__(module, Place(first.file, first.line), first.reason)
        self.problems = tuple(problems)
        lines = "".join(f"\n{problem}" for problem in problems)
        self.args = (f"module {module!r}: its WebSocket routers cannot be generated:{lines}",)


class StaleRoutersError(RoutersError):
    """`ws_generated/` is not what its declarations generate, and may not be written here."""

    def __init__(self, module: str, folder: Path) -> None:
        super().__init__(module, Place(str(folder)), "the generated routers are stale; run: make generate")


class RoutersNotWritableError(RoutersError):
    """`ws_generated/` must be written and cannot be."""

    def __init__(self, module: str, folder: Path, cause: OSError) -> None:
        reason = f"the generated routers are stale and cannot be written: {cause.strerror or cause}"
        super().__init__(module, Place(str(folder)), reason)
