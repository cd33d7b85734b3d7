"""What is wrong with a request."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse: the field by its name on the wire, and a text with the value and what would be right."""

    field: str
    text: str
