"""A frozen dataclass as JSON text and back, exactly: decimals as strings, enumerations by value, None left out.

What cannot be understood whole (an unknown field, a missing one, a value of another kind) is refused: money is not
guessed at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Generic, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Dump = Callable[[Any], object]
"""From a value to what JSON knows; each belongs to one type, which it does not ask about again."""
Load = Callable[[object], object]
"""The way back. Raises RecordError for anything that Dump would not have written."""

_ENCODE = json.JSONEncoder(separators=(",", ":"), check_circular=False, allow_nan=False).encode
"""Plain ASCII: a lone surrogate in somebody's text would be refused by the databases."""


class RecordError(ValueError):
    """The text is no record of this kind; says which field."""


class Record(Generic[T]):
    """Writes and reads values of one dataclass, of whose fields every one counts. Raises TypeError for odd types."""

    def __init__(self, kind: type[T]) -> None:
        self._dump = _dump_dataclass(kind)
        self._load = _load_dataclass(kind)
        self._kind = kind

    def text(self, value: T) -> str:
        """One line of JSON. Raises TypeError for a value of another type inside, and RecordError for a NaN."""
        return _ENCODE(self._dump(value))

    def value(self, text: str) -> T:
        """What `text` was made from. Raises RecordError."""
        try:
            loaded = self._load(_DECODE(text))
        except RecursionError:
            raise RecordError("is nested too deep") from None
        except json.JSONDecodeError as error:
            raise RecordError(f"is no JSON: {error}") from None
        assert isinstance(loaded, self._kind)
        return loaded


# `value` is a property, which costs more than what it gives.
_MEMBER_VALUE = attrgetter("_value_")


def _refuse_constant(text: str) -> object:
    raise RecordError(f"holds the number {text}, which is not exact")


# `json.loads` would make one of these for each text.
_DECODE = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_refuse_constant).decode


def _dump_for(kind: object) -> Dump | None:
    """How values of a type are written; None: as they are."""
    if kind in (str, int, bool) or get_origin(kind) is Literal:
        return None
    if kind is Decimal:
        return _dump_decimal
    if optional := _optional(kind):
        # None is left out where the field is written.
        return _dump_for(optional)
    if get_origin(kind) is tuple:
        return _dump_tuple(_item(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        # JSON knows the numbers of an IntEnum as they are.
        return None if issubclass(kind, int) else _MEMBER_VALUE
    return _dump_dataclass(kind)


def _dump_decimal(value: Decimal) -> str:
    if not value.is_finite():
        raise RecordError(f"{value} is no amount")
    return str(value)


def _dump_tuple(item: object) -> Dump:
    dump = _dump_for(item)
    return list if dump is None else lambda values: [dump(value) for value in values]


def _dump_dataclass(kind: object) -> Dump:
    plan = {name: _dump_for(hint) for name, hint, _ in _fields(kind)}
    contents, items = _getter(tuple(plan)), tuple(plan.items())

    def dump(value: object) -> dict[str, object]:
        written: dict[str, object] = {}
        for (name, convert), content in zip(items, contents(value), strict=True):
            if content is not None:
                written[name] = content if convert is None else convert(content)
        return written

    return dump


def _getter(names: tuple[str, ...]) -> Callable[[object], tuple[object, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    # Of one name it would return the value itself.
    return lambda value: tuple(getattr(value, name) for name in names)


def _load_for(kind: object) -> Load:
    if kind in (str, int, bool):
        assert isinstance(kind, type)
        return _load_plain(kind)
    if kind is Decimal:
        return _load_decimal
    if get_origin(kind) is Literal:
        return _load_one_of({value: value for value in get_args(kind)})
    if optional := _optional(kind):
        return _load_for(optional)
    if get_origin(kind) is tuple:
        return _load_tuple(_item(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _load_one_of({member.value: member for member in kind})
    return _load_dataclass(kind)


def _load_plain(kind: type) -> Load:
    def load(content: object) -> object:
        # Not isinstance: a bool is an int to Python.
        if type(content) is not kind:
            raise RecordError(f"is {content!r}, not of type {kind.__name__}")
        return content

    return load


def _load_decimal(content: object) -> Decimal:
    try:
        value = Decimal(content) if type(content) is str else None
    except InvalidOperation:
        value = None
    if value is None or not value.is_finite():
        raise RecordError(f"is {content!r}, not a decimal in a string")
    return value


def _load_one_of(known: dict[object, object]) -> Load:
    # 1 and True are one key to a dict, but not to us.
    kinds = {type(value) for value in known}

    def load(content: object) -> object:
        if type(content) not in kinds or content not in known:
            raise RecordError(f"is {content!r}, none of {', '.join(map(repr, known))}")
        return known[content]

    return load


def _load_tuple(item: object) -> Load:
    load_item = _load_for(item)

    def load(content: object) -> object:
        if not isinstance(content, list):
            raise RecordError(f"is {content!r}, not a list")
        return tuple(load_item(each) for each in content)

    return load


def _load_dataclass(kind: object) -> Load:
    assert isinstance(kind, type)
    plan = [(name, _load_for(hint)) for name, hint, _ in _fields(kind)]
    names = {name for name, _ in plan}
    must = {name for name, _, may_miss in _fields(kind) if not may_miss}

    def load(content: object) -> object:
        if not isinstance(content, dict):
            raise RecordError(f"is {content!r}, not an object")
        if not must <= content.keys() <= names:
            raise _wrong_fields(content, must, names)
        loaded = {}
        for name, load_field in plan:
            try:
                loaded[name] = load_field(content[name]) if name in content else None
            except RecordError as error:
                raise RecordError(f"{name} {error}") from None
        return kind(**loaded)

    return load


def _wrong_fields(content: dict[str, object], must: set[str], names: set[str]) -> RecordError:
    unknown, missing = sorted(content.keys() - names), sorted(must - content.keys())
    if unknown:
        return RecordError(f"holds unknown fields: {', '.join(unknown)}")
    return RecordError(f"lacks the fields: {', '.join(missing)}")


def _fields(kind: object) -> Iterator[tuple[str, object, bool]]:
    """Name, type and whether it may be None, of each field. Raises TypeError for what is no dataclass."""
    if not isinstance(kind, type) or not is_dataclass(kind):
        raise TypeError(f"{kind} cannot be recorded")
    hints = get_type_hints(kind)
    for field in fields(kind):
        if not field.init:
            raise TypeError(f"{kind.__name__}.{field.name} cannot be recorded")
        yield field.name, hints[field.name], _optional(hints[field.name]) is not None


def _optional(kind: object) -> object | None:
    """X of `X | None`; None for any other type."""
    if get_origin(kind) not in (Union, UnionType):
        return None
    others: list[object] = [each for each in get_args(kind) if each is not NoneType]
    if len(others) != 1 or len(get_args(kind)) != 2:
        raise TypeError(f"{kind} cannot be recorded")
    return others[0]


def _item(kind: object) -> object:
    """X of `tuple[X, ...]`."""
    arguments = get_args(kind)
    if len(arguments) != 2 or arguments[1] is not Ellipsis:
        raise TypeError(f"{kind} cannot be recorded")
    return arguments[0]
