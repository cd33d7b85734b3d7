"""JSON as it was written: each decimal with all its digits, and no field that is given twice."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, TypeAlias

from trading_api.modules.broker.api.unprocessable import GIVEN_TWICE, unprocessable
from trading_api.shared.problems import MAX_FIELD_ERRORS, FieldError

_LONGEST = 200
Pairs: TypeAlias = list[tuple[str, Any]]
_Place: TypeAlias = tuple["_Place | None", str | int]
"""Within what, and where there: spelt out only if it is told, for a body may nest long names deeply."""


class _GivenTwiceError(Exception):
    """Some object has a field twice."""


def read_json(body: bytes) -> Any:
    """Raises ProblemError (422) with each field that is given twice; ValueError or RecursionError for no JSON."""
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    try:
        return _USUAL.decode(text)
    except _GivenTwiceError:
        pass
    # Once more, to find where: the usual body need not pay for that.
    places = islice(_given_twice(text), MAX_FIELD_ERRORS)
    raise unprocessable([FieldError(location=place, message=GIVEN_TWICE) for place in places])


def _decoder(make_object: Callable[[Pairs], dict[str, Any]]) -> json.JSONDecoder:
    return json.JSONDecoder(parse_float=_decimal, parse_int=_integer, object_pairs_hook=make_object)


def _object(pairs: Pairs) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _GivenTwiceError
    return made


def _given_twice(text: str) -> Iterator[str]:
    """The dotted paths of the fields, what lies deep last."""
    wrong = dict[int, tuple[dict[str, Any], Pairs]]()

    def keep(pairs: Pairs) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            # Held, so that no other object gets its id.
            wrong[id(made)] = made, pairs
        return made

    for place, made in _objects(_decoder(keep).decode(text)):
        if id(made) in wrong:
            yield from (_dotted((place, name)) for name in _repeated(wrong[id(made)][1]))


def _repeated(pairs: Pairs) -> Iterator[str]:
    return (name for name, times in Counter(name for name, _ in pairs).items() if times > 1)


def _objects(document: object) -> Iterator[tuple[_Place, dict[str, Any]]]:
    """Every object of a document, with its place."""
    waiting: list[tuple[_Place, object]] = [((None, "body"), document)]
    for place, value in waiting:
        if isinstance(value, dict):
            yield place, value
            waiting.extend(((place, name), item) for name, item in value.items())
        elif isinstance(value, list):
            waiting.extend(((place, index), item) for index, item in enumerate(value))


def _dotted(place: _Place) -> str:
    above: _Place | None = place
    parts = list[str]()
    while above is not None:
        above, part = above
        parts.append(str(part))
    written = ".".join(reversed(parts))
    return written if len(written) <= _LONGEST else f"{written[:_LONGEST]}…"


def _decimal(written: str) -> Decimal:
    """Another that nobody takes for what is beyond even these: then it is told where in the body it stands."""
    try:
        return Decimal(written)
    except InvalidOperation:
        sign = "-" if written.startswith("-") else ""
        return Decimal(f"{sign}1E{'-' if 'e-' in written.lower() else '+'}999999")


def _integer(written: str) -> int | Decimal:
    """Python reads none that is enormous."""
    try:
        return int(written)
    except ValueError:
        return _decimal(written)


_USUAL = _decoder(_object)
"""Made once: that saves more than it costs to look at every object."""
