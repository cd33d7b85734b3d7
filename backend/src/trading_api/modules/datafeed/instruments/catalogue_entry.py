"""One entry of a catalogue file: from what is written to an instrument."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from math import gcd
from typing import NamedTuple, get_args
from zoneinfo import ZoneInfo

from trading_api.models.market import SymbolType
from trading_api.modules.datafeed.instruments.instrument import EXCHANGE_PATTERN, MAX_NAME, NAME_PATTERN, Instrument
from trading_api.modules.datafeed.session import parse_session

SYMBOL_TYPES: tuple[str, ...] = get_args(SymbolType)
FIELDS = tuple(field.name for field in fields(Instrument))
"""Those of an instrument, the name first: the columns of a CSV catalogue."""
OPTIONAL = frozenset({"calendar"})
MAX_DESCRIPTION = 200
_MAX_STEP = 10**18
_MAX_PRECISION = 18


class Place(NamedTuple):
    """Where something is written, both counted from 1; `column` 0 is unknown."""

    line: int
    column: int = 0


class Written(NamedTuple):
    """A text of the file."""

    text: str
    place: Place


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason to refuse a file. `entry` and `field` are empty where it is not about one."""

    message: str
    place: Place | None = None
    entry: str = ""
    field: str = ""

    def __str__(self) -> str:
        subject = ".".join(filter(None, (self.entry, self.field)))
        return f"{subject}: {self.message}" if subject else self.message


@dataclass(frozen=True, slots=True)
class Entry:
    """An instrument as it is written: its name, and the text of each field that is given."""

    name: Written
    facts: Mapping[str, Written]


def instrument_of(entry: Entry) -> Instrument | list[Problem]:
    """The instrument, or everything that is wrong with the entry."""
    problems = list(_problems(entry))
    if problems:
        return problems
    texts = {name: written.text for name, written in entry.facts.items()}
    return Instrument(
        name=entry.name.text,
        exchange=texts["exchange"],
        type=texts["type"],
        description=texts["description"],
        session=texts["session"],
        timezone=texts["timezone"],
        pricescale=int(texts["pricescale"]),
        minmov=int(texts["minmov"]),
        volume_precision=int(texts["volume_precision"]),
        calendar=texts.get("calendar", ""),
    )


def _problems(entry: Entry) -> Iterator[Problem]:
    shown = shorten(entry.name.text)
    try:
        _check_name(entry.name.text)
    except ValueError as error:
        yield Problem(str(error), entry.name.place, shown)
    for field, written in entry.facts.items():
        check = _CHECKS.get(field)
        try:
            if check is None:
                raise ValueError(f"unknown field; known are {', '.join(FIELDS[1:])}")
            check(written.text)
        except ValueError as error:
            yield Problem(str(error), written.place, shown, shorten(field))
    yield from _step_problems(entry, shown)
    missing = [field for field in FIELDS[1:] if field not in entry.facts and field not in OPTIONAL]
    if missing:
        yield Problem(f"lacks {', '.join(missing)}", entry.name.place, shown)


def _step_problems(entry: Entry, shown: str) -> Iterator[Problem]:
    """Of the price step, minmov / pricescale, once both are numbers: prices are decimals, so it must be one."""
    minmov, pricescale = _number(entry, "minmov"), _number(entry, "pricescale")
    if minmov is None or pricescale is None:
        return
    rest = pricescale // gcd(minmov, pricescale)
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    if rest != 1:
        what = (
            f"the price step {minmov}/{pricescale} is no decimal number; use 100, say, or another product of 2s and 5s"
        )
        yield Problem(what, entry.facts["pricescale"].place, shown, "pricescale")


def _number(entry: Entry, field: str) -> int | None:
    """None where there is none that is allowed, which is a problem by itself."""
    try:
        _CHECKS[field](entry.facts[field].text)
    except (KeyError, ValueError):
        return None
    return int(entry.facts[field].text)


def shorten(text: str, most: int = 40) -> str:
    """A text for a message, on one line."""
    shown = text if text.isprintable() else repr(text)[1:-1]
    return shown if len(shown) <= most else f"{shown[: most - 1]}…"


def _check_name(text: str) -> None:
    if NAME_PATTERN.fullmatch(text) is None:
        raise ValueError(f"not a name: use 1 to {MAX_NAME} capital letters, digits or . _ ! & ^ = -")


def _check_exchange(text: str) -> None:
    if EXCHANGE_PATTERN.fullmatch(text) is None:
        raise ValueError(f"{shorten(text)!r} is not valid: use up to {MAX_NAME} capital letters, digits or . _ -")


def _check_type(text: str) -> None:
    if text not in SYMBOL_TYPES:
        raise ValueError(f"{shorten(text)!r} is none of {', '.join(SYMBOL_TYPES)}")


def _check_description(text: str) -> None:
    if not text.strip():
        raise ValueError("is empty")
    if len(text) > MAX_DESCRIPTION:
        raise ValueError(f"has {len(text)} characters; {MAX_DESCRIPTION} are allowed")
    if not text.isprintable():
        raise ValueError("holds characters that cannot be shown")


@lru_cache(maxsize=1024)
def _check_session(text: str) -> None:
    parse_session(text)


@lru_cache(maxsize=1024)
def check_timezone(text: str) -> str:
    """Raises ValueError unless `text` names a zone of the tz database."""
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {text!r}: use a tz database name, such as America/New_York") from error
    except KeyError:
        raise ValueError(f"unknown time zone {text!r}: use a tz database name, such as America/New_York") from None


@lru_cache(maxsize=1024)
def check_calendar(text: str) -> None:
    """Raises ValueError unless `text` is empty or the code of a known calendar."""
    if text:
        # Only whoever uses calendars reads them.
        from trading_api.modules.datafeed.calendars import calendar

        calendar(text)


def _whole_number(least: int, most: int) -> Callable[[str], None]:
    def check(text: str) -> None:
        # Twenty digits are more than any number that is allowed has.
        if not (text.isascii() and text.isdecimal() and len(text) <= 20):
            raise ValueError(f"{shorten(text)!r} is not a whole number from {least} to {most}")
        if not least <= int(text) <= most:
            raise ValueError(f"{text} is not from {least} to {most}")

    return check


_CHECKS: dict[str, Callable[[str], object]] = {
    "exchange": _check_exchange,
    "type": _check_type,
    "description": _check_description,
    "session": _check_session,
    "timezone": check_timezone,
    "pricescale": _whole_number(1, _MAX_STEP),
    "minmov": _whole_number(1, _MAX_STEP),
    "volume_precision": _whole_number(0, _MAX_PRECISION),
    "calendar": check_calendar,
}
