"""Change: one difference between two contracts. Finding: the same before it is known who sends the value."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

Direction = Literal["request", "response", "both"]
"""Who reads the value: the server (request), the client (response); both for what concerns the whole operation."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    `kind` is a fixed word such as `property.removed`; `where` names the operation and the part of it
    (`GET /bars: response 200: Bar.volume`); `what` says old and new. `also` counts the further places where the same
    component shows the same change.
    """

    kind: str
    where: str
    what: str
    direction: Direction
    breaking: bool
    also: int = 0

    def line(self) -> str:
        """`GET /bars: response 200: Bar.volume: number -> string [breaking]`."""
        more = f" (and in {self.also} more place{'s' if self.also > 1 else ''})" if self.also else ""
        return f"{self.where}: {self.what}{more}{' [breaking]' if self.breaking else ''}"

    def to_json(self) -> dict[str, object]:
        """For `--json`; the keys are the fields' names."""
        return {
            "kind": self.kind,
            "where": self.where,
            "what": self.what,
            "direction": self.direction,
            "breaking": self.breaking,
            "also": self.also,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """A difference between two schemas. `request`: breaks a client that sends such a value; `response`: one that

    reads it. `at` is what follows the schema's own name: `.volume`.
    """

    kind: str
    what: str
    request: bool
    response: bool
    at: str = ""

    def breaks(self, direction: Direction) -> bool:
        """Whether it breaks a client for which the value goes in `direction`."""
        return (direction != "response" and self.request) or (direction != "request" and self.response)


def narrowed(kind: str, what: str, at: str = "") -> Finding:
    """Fewer values are allowed than before: what a client sends may be refused; what it reads it knows."""
    return Finding(kind, what, request=True, response=False, at=at)


def widened(kind: str, what: str, at: str = "") -> Finding:
    """More values are possible than before: what a client sends is still taken; it may read what it does not know."""
    return Finding(kind, what, request=False, response=True, at=at)


def replaced(kind: str, what: str, at: str = "") -> Finding:
    """Neither contains the other: breaks whoever sends or reads it."""
    return Finding(kind, what, request=True, response=True, at=at)


def harmless(kind: str, what: str, at: str = "") -> Finding:
    """Worth telling; breaks nobody."""
    return Finding(kind, what, request=False, response=False, at=at)


@dataclass(frozen=True, slots=True)
class Located:
    """A change with its place (an operation and a part of it) and its subject (`Bar.volume`) still apart."""

    place: str
    subject: str
    finding: Finding
    direction: Direction


def collapse(found: Iterable[Located]) -> list[Change]:
    """The changes in the order of their places; one that several places share through a component is told once."""
    merged: dict[tuple[object, ...], Change] = {}
    for one in found:
        subject = one.subject + one.finding.at
        # A subject that starts with a capital letter is a component's; others are names within their place.
        shared = () if subject[:1].isupper() else (one.place,)
        key = (subject, one.finding, one.direction, *shared)
        if key in merged:
            merged[key] = replace(merged[key], also=merged[key].also + 1)
        else:
            merged[key] = _change(one, subject)
    return sorted(merged.values(), key=lambda change: (change.where, change.kind, change.what))


def _change(one: Located, subject: str) -> Change:
    where = ": ".join(filter(None, (one.place, subject)))
    breaking = one.finding.breaks(one.direction)
    return Change(one.finding.kind, where, one.finding.what, one.direction, breaking)
