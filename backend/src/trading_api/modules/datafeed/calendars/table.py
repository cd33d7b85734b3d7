"""Reads the tables in `tables/`: one small text file for each calendar, read when it is first asked for.

    zone America/New_York
    known 1990-01-01 2035-12-31
    regular 570 960 12345           minutes after midnight of the trading date; weekdays, 1 is Monday
    closed 1990 0101 0219           no trading on these dates of a regular weekday
    extra 2024 0120                 trading on these dates of another weekday
    hours 570 780 1990 0703 1224    unusual hours on these dates
    hours 600 960 2011 0103-0304    … or on all trading days from one to the other

`tables/aliases.txt` has other names of calendars (`NYSE XNYS`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache
from pathlib import Path
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.calendars.trading_calendar import Hours, Stretch, TradingCalendar

TABLES = Path(__file__).parent / "tables"
ALIASES = "aliases.txt"
_CODE = re.compile(r"\w+|24/\d", re.ASCII)


def calendar(code: str) -> TradingCalendar:
    """The calendar with an exchange_calendars code (`XNYS`) or one of its aliases (`NYSE`).

    Raises ValueError for an unknown one.
    """
    return _calendar(_aliases().get(code, code))


def calendar_codes() -> tuple[str, ...]:
    """The codes of all calendars, sorted, without aliases."""
    return tuple(sorted(_code_of(path) for path in TABLES.glob("*.txt") if path.name != ALIASES))


def table_name(code: str) -> str:
    """The file of a calendar; `24/7` has a slash."""
    return f"{code.replace('/', '-')}.txt"


def parse_table(code: str, lines: Iterable[str]) -> TradingCalendar:
    """Read a table. Raises ValueError, KeyError or IndexError for one that `make calendars` did not write."""
    single, dated = {}, []
    for line in lines:
        key, *words = line.split()
        if key in {"closed", "extra", "hours"}:
            dated.append((key, words))
        else:
            single[key] = words
    opening, closing, weekdays = single["regular"]
    first, last = map(date.fromisoformat, single["known"])
    return TradingCalendar(
        code=code,
        zone=ZoneInfo(single["zone"][0]),
        first=first,
        last=last,
        regular=Hours(int(opening), int(closing)),
        weekdays=frozenset(int(digit) - 1 for digit in weekdays),
        closed=_days(words for key, words in dated if key == "closed"),
        extra=_days(words for key, words in dated if key == "extra"),
        unusual=sorted(stretch for key, words in dated if key == "hours" for stretch in _stretches(words)),
    )


@lru_cache(maxsize=128)
def _calendar(code: str) -> TradingCalendar:
    path = TABLES / table_name(code)
    if _CODE.fullmatch(code) is None or path.name == ALIASES or not path.is_file():
        raise ValueError(f"unknown calendar {code!r}{_hint(code)}")
    text = path.read_text(encoding="utf-8")
    return parse_table(code, (line for line in text.splitlines() if not line.startswith("#")))


def _hint(code: str) -> str:
    near = difflib.get_close_matches(code.upper(), [*calendar_codes(), *_aliases()], n=1)
    return f" (did you mean {near[0]}?)" if near else ": use a code of exchange_calendars, such as XNYS"


@lru_cache(maxsize=1)
def _aliases() -> dict[str, str]:
    lines = (TABLES / ALIASES).read_text(encoding="utf-8").splitlines()
    pairs = (line.partition(" ") for line in lines if not line.startswith("#"))
    return {alias: code for alias, _, code in pairs}


def _code_of(path: Path) -> str:
    return path.stem.replace("-", "/")


def _days(years: Iterable[list[str]]) -> frozenset[int]:
    return frozenset(_number(int(year), int(day)) for year, *days in years for day in days)


def _stretches(words: list[str]) -> Iterator[Stretch]:
    opening, closing, year = map(int, words[:3])
    hours = Hours(opening, closing)
    for span in words[3:]:
        first, _, last = span.partition("-")
        yield Stretch(_number(year, int(first)), _number(year, int(last or first)), hours)


def _number(year: int, month_day: int) -> int:
    return date(year, month_day // 100, month_day % 100).toordinal()
