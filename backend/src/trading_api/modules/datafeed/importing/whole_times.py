"""Columns of written times at a time: what `BarClock` does to one, with the work done once per date and time of day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import mod
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bar_time import LATEST, MS_THRESHOLD, parse_time, to_ms
from trading_api.modules.datafeed.importing.whole_numbers import Unusual, holds_more
from trading_api.modules.datafeed.importing.written_times import Form

_DATE = re.compile(r"\d{4}[-/.]\d\d[-/.]\d\d|(1[89]|20|21)\d{6}", re.ASCII)
# Where the date ends, and a date to read times of day with.
_SAMPLES = {8: "20000103", 10: "2000-01-03"}
_EPOCH_DIGITS = range(9, 14)
_MAX_TIME_OF_DAY = 30
_MAX_KEPT = 20_000
_HOURS = [timedelta(hours=hours) for hours in range(25)]
_MS = timedelta(milliseconds=1)
_LAST_SECOND = to_ms(LATEST) // 1000


class WholeTimes:
    """Reads times of intraday bars. `zone` is that of times without an offset.

    Whatever it reads, `BarClock` reads as the same; it raises Unusual for the rest, right or wrong.
    """

    def __init__(self, zone: ZoneInfo, minutes: int) -> None:
        self._step = minutes * 60_000
        self._days: dict[Form, dict[str, int]] = {"naive": _Days(zone), "aware": _Days(None)}
        self._times_of_day = {
            (cut, form): _TimesOfDay(sample, form) for cut, sample in _SAMPLES.items() for form in self._days
        }

    def read(self, texts: Sequence[str]) -> tuple[list[int], Form]:
        """Times in ms UTC, on the grid of the resolution, all written in one form."""
        first = texts[0]
        if len(first) in _EPOCH_DIGITS and first.isdecimal():
            times, form = _epochs(texts)
        else:
            times, form = self._moments(texts, cut=8 if first[:5].isdecimal() else 10)
        # Where UTC and the exchange disagree about the grid, each row is looked at.
        if any(map(mod, times, repeat(self._step))):
            raise Unusual
        return times, form

    def _moments(self, texts: Sequence[str], *, cut: int) -> tuple[list[int], Form]:
        try:
            form: Form = "aware" if parse_time(texts[0]).tzinfo else "naive"
            days, times_of_day = self._days[form], self._times_of_day[cut, form]
            times = [days[text[:cut]] + times_of_day[text[cut:]] for text in texts]
        except ValueError:
            raise Unusual from None
        for kept in (days, times_of_day):
            if len(kept) > _MAX_KEPT:
                kept.clear()
        return times, form


class _Days(dict[str, int]):
    """A date → ms UTC of its midnight in the zone (None: UTC). Raises ValueError also where the clock is changed."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        super().__init__()
        self._zone = zone

    def __missing__(self, text: str) -> int:
        if _DATE.fullmatch(text) is None:
            raise ValueError(text)
        midnight = parse_time(text)
        self[text] = found = to_ms(midnight.replace(tzinfo=UTC)) - self._offset(midnight)
        return found

    def _offset(self, midnight: datetime) -> int:
        """The offset that holds from this midnight to the next, in ms; no zone changes its clock twice in a day."""
        if self._zone is None:
            return 0
        hours = [(midnight + hour).replace(tzinfo=self._zone, fold=fold) for hour in _HOURS for fold in (0, 1)]
        offset, *others = {hour.utcoffset() for hour in hours}
        if others or offset is None:
            raise ValueError("the clock is changed")
        return offset // _MS


class _TimesOfDay(dict[str, int]):
    """What follows the date → ms after midnight UTC, or after midnight of the zone when written without an offset."""

    def __init__(self, sample: str, form: Form) -> None:
        super().__init__()
        self._sample = sample
        self._form = form

    def __missing__(self, text: str) -> int:
        if len(text) > _MAX_TIME_OF_DAY or text[:1] not in {"", " ", "T"}:
            raise ValueError(text)
        moment = parse_time(self._sample + text)
        if ("aware" if moment.tzinfo else "naive") != self._form or moment.microsecond:
            raise ValueError(text)
        offset = moment.utcoffset() or timedelta()
        if offset.microseconds:
            raise ValueError(text)
        self[text] = found = (moment.hour * 60 + moment.minute) * 60_000 + moment.second * 1000 - offset // _MS
        return found


def _epochs(texts: Sequence[str]) -> tuple[list[int], Form]:
    """Eight digits may be a date, and more than 13 are no time; nobody mixes those with epochs."""
    if holds_more("\n".join(texts), b"0123456789\n", len(texts)) or not set(map(len, texts)) <= set(_EPOCH_DIGITS):
        raise Unusual
    values = list(map(int, texts))
    lowest, highest = min(values), max(values)
    if lowest >= MS_THRESHOLD and highest < _LAST_SECOND * 1000:
        return values, "milliseconds"
    if lowest < 10**8 or highest >= min(MS_THRESHOLD, _LAST_SECOND):
        raise Unusual
    return [value * 1000 for value in values], "seconds"
