"""exchange_calendars, asked for all that it knows of a calendar. Only `make calendars` and the tests load it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import pandas  # type: ignore[import-untyped]
from exchange_calendars import ExchangeCalendar, calendar_utils, tase_holidays  # type: ignore[import-untyped]
from exchange_calendars.pandas_extensions.offsets import OrthodoxEaster  # type: ignore[import-untyped]
from pandas.tseries.offsets import CustomBusinessDay  # type: ignore[import-untyped]

# Older days are of little use, and later ones are anybody's guess.
FIRST, LAST = date(1990, 1, 1), date(2035, 12, 31)


class TradingDay(NamedTuple):
    """A trading day: its date, and its hours in minutes after that midnight by the exchange's clock."""

    date: date
    open: int
    close: int


class SourceCalendar(NamedTuple):
    """All that exchange_calendars knows from `first` to `last`."""

    code: str
    zone: str
    first: date
    last: date
    days: list[TradingDay]


def source_codes() -> list[str]:
    """The codes of all calendars, without aliases."""
    codes: list[str] = calendar_utils.get_calendar_names(include_aliases=False)
    return codes


def source_aliases() -> dict[str, str]:
    """Alias → code."""
    found = calendar_utils.aliases_to_names()
    return {alias: calendar_utils.resolve_alias(alias) for alias in sorted(found)}


def read_source(code: str) -> SourceCalendar:
    """The calendar with a code, within `FIRST` and `LAST` and its own bounds. Raises KeyError for an unknown code."""
    kind = _repaired(calendar_utils._default_calendar_factories[code])
    first = max(pandas.Timestamp(FIRST), kind.bound_min() or pandas.Timestamp(FIRST))
    bound = kind.bound_max() or pandas.Timestamp.max
    last = min(pandas.Timestamp(LAST), bound)
    with warnings.catch_warnings():
        # Of its own use of pandas.
        warnings.simplefilter("ignore")
        # A little more than is wanted: a late first day of the next year is laid upon the last day otherwise.
        built = kind(start=first, end=min(last + pandas.Timedelta(days=31), bound))
    days = [day for day in _days(built) if day.date <= last.date()]
    return SourceCalendar(code, built.tz.key, first.date(), last.date(), days)


def _days(built: ExchangeCalendar) -> Iterator[TradingDay]:
    table = built.schedule
    midnights = table.index
    clocks = (table[name].dt.tz_convert(built.tz).dt.tz_localize(None) for name in ("open", "close"))
    opens, closes = (((clock - midnights) // pandas.Timedelta(minutes=1)).tolist() for clock in clocks)
    for midnight, opening, closing in zip(midnights, opens, closes, strict=True):
        yield TradingDay(midnight.date(), opening, closing)


def _repaired(kind: type[ExchangeCalendar]) -> type[ExchangeCalendar]:
    """What exchange_calendars 4.13 cannot do with pandas 3.1, which knows its offsets no more.

    Orthodox and Jewish holidays raise an error; trading days at weekends are lost without one.
    """
    for offset in (OrthodoxEaster, tase_holidays._HolidayOffset, tase_holidays._YomKippurEveObserved):
        offset._add_datetime = offset._apply
    if "special_weekmasks" not in vars(kind):
        return kind
    return type(kind.__name__, (kind,), {"day": property(_plain_days)})


def _plain_days(built: ExchangeCalendar) -> CustomBusinessDay:
    """The trading days of a calendar whose week has changed: a week of seven days, and every day off as a holiday."""
    first, last = pandas.Timestamp(FIRST), pandas.Timestamp(LAST) + pandas.Timedelta(days=366)
    everyday = pandas.date_range(first, last)
    off = {day for day in everyday if _week(built, day)[day.weekday()] == "0"}
    off.update(pandas.DatetimeIndex(built.adhoc_holidays))
    if built.regular_holidays is not None:
        off.update(built.regular_holidays.holidays(first, last))
    return CustomBusinessDay(weekmask="1111111", holidays=sorted(off))


def _week(built: ExchangeCalendar, day: pandas.Timestamp) -> str:
    """Seven times 1 or 0, Monday first."""
    for first, last, mask in built.special_weekmasks:
        if (first is None or first <= day) and (last is None or day <= last):
            return str(mask)
    return str(built.weekmask)
