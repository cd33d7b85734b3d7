"""Reading environment variables one after the other, so that everything that is wrong is told at once."""

import difflib
from collections.abc import Callable, Mapping
from typing import TypeVar

ValueT = TypeVar("ValueT")


class VariableReader:
    """Reads an environment; `problems` are in words, each with the name of its variable."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        self._environ = environ

    def read(self, name: str, parse: Callable[[str], ValueT], otherwise: ValueT) -> ValueT:
        """What `parse` makes of the variable; `otherwise` where it is not set, or `parse` raises ValueError."""
        text = self._environ.get(name, "").strip()
        try:
            return parse(text) if text else otherwise
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return otherwise


def hint(wrong: str, known: tuple[str, ...]) -> str:
    """What may have been meant, and all that could have been."""
    close = difflib.get_close_matches(wrong, known, n=1)
    question = f"did you mean {close[0]!r}? " if close else ""
    return f"{question}known: {', '.join(known)}"
