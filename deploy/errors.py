"""Errors that are meant for the user: a message that says what is wrong, where, and what to do."""

from dataclasses import dataclass
from pathlib import Path


class DeployError(Exception):
    """Base of every expected failure; the command line prints its text and exits with `exit_code`."""

    exit_code: int = 1


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the configuration. `line` and `column` count from 1; 0 means the file as a whole."""

    key: str
    message: str
    line: int = 0
    column: int = 0
    hint: str = ""

    def render(self, path: Path) -> str:
        """`file:line:column: key: what is wrong, and a hint`."""
        where = f"{path}:{self.line}:{self.column}" if self.line else str(path)
        key = f"{self.key}: " if self.key else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{where}: {key}{self.message}{hint}"


class ConfigError(DeployError):
    """The configuration cannot be used. Carries every problem found, in the order of the file. Exit code 2."""

    exit_code = 2

    def __init__(self, path: Path, problems: list[Problem]) -> None:
        self.path = path
        self.problems = sorted(problems, key=lambda problem: (problem.line, problem.column))
        super().__init__("\n".join(problem.render(path) for problem in self.problems))
