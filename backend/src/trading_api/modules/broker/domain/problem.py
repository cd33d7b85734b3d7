"""What is wrong with a request."""

from collections.abc import Iterable
from dataclasses import dataclass

from trading_api.modules.broker.domain.field import Field


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse: a text with the value and what would be right, and the field that it is about.

    `field` is None where it is about the request as a whole, or about nothing that the request says (no margin).
    """

    field: Field | None
    text: str


def texts(problems: Iterable[Problem]) -> tuple[str, ...]:
    """The words alone, in order."""
    return tuple(problem.text for problem in problems)
