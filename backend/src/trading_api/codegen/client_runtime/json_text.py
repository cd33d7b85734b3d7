"""JSON without loss: a Decimal is written as the number it is, and numbers are read as Decimal, not as float."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

_HALF = re.compile("[\ud800-\udfff]")


def to_json(value: object) -> str:
    """Compact JSON of models, containers and values. Raises ValueError for a number that JSON has no form for."""
    if isinstance(value, BaseModel):
        return to_json(value.model_dump(mode="python", by_alias=True, exclude_unset=True))
    if isinstance(value, Enum):
        return to_json(value.value)
    if value is None or isinstance(value, str | bool | int | float):
        return json.dumps(value, ensure_ascii=False, allow_nan=False)
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{to_json(str(key))}:{to_json(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ",".join(map(to_json, value)) + "]"
    return json.dumps(_leaf(value), ensure_ascii=False)


def from_json(text: str | bytes) -> Any:
    """What `text` says; fractions as Decimal. Raises ValueError, also for NaN and Infinity, which are not JSON."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except ArithmeticError as error:
        raise ValueError("a number has an exponent beyond all bounds") from error


def half_character(text: str) -> str:
    """Where in a JSON body the first text stands that holds half of a surrogate pair, as in `body.customFields.note`.

    Of a member's name that does, where the object stands.
    """
    return next(_half_characters(json.loads(text), "body"), "body")


def _half_characters(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, str):
        if _HALF.search(value):
            yield place
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _half_characters(name, place)
            yield from _half_characters(item, f"{place}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _half_characters(item, f"{place}.{index}")


def to_text(value: object) -> str:
    """A value as it stands in a path, a query or a header."""
    if isinstance(value, Enum):
        return to_text(value.value)
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return _number(value)
    if isinstance(value, bool | int | float | BaseModel | Mapping | list | tuple):
        return to_json(value)
    return str(_leaf(value))


def _number(value: Decimal) -> str:
    if not value.is_finite():
        raise ValueError(f"JSON has no number for {value}")
    # Written out, for people; but nobody wants the zeros of 1E+1000.
    return format(value, "f") if abs(value.adjusted()) < 32 else str(value)


def _leaf(value: object) -> object:
    """Dates, UUIDs and the like, as pydantic writes them."""
    if isinstance(value, datetime) and value.tzinfo is None:
        raise ValueError(f"{value} has no time zone; give it one, as in datetime.now(UTC)")
    return to_jsonable_python(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
