"""What must hold between the written times of one file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from trading_api.modules.datafeed.bar_time import MS_THRESHOLD, ms_text, parse_time
from trading_api.modules.datafeed.importing.source import Counted
from trading_api.modules.datafeed.resolution import Resolution

Form = Literal["seconds", "milliseconds", "zero", "naive", "aware"]
"""An epoch in one of two units, or the epoch 0, which is the same in both; or a date with or without a UTC offset."""

_EPOCH = re.compile(r"-?(\d+)(\.\d+)?", re.ASCII)
_BASIC_DATE_DIGITS = 8
# Behind the date; dates themselves may hold a hyphen.
_OFFSET_FROM = 10
_NAMED: dict[Form, str] = {
    "seconds": "in seconds",
    "milliseconds": "in milliseconds",
    "naive": "without a UTC offset",
    "aware": "with a UTC offset",
}
_DATES: frozenset[Form] = frozenset({"naive", "aware"})
_KINDS = {True: "an ISO time", False: "an epoch"}
_ADVICE = {True: "give all times an offset, or none", False: "use one unit"}


@dataclass(slots=True)
class WrittenTimes:
    """Compares every row's written time with those before it; all of them have been read as bar times already.

    Memory stays small: only day, week and month bars are kept, and the calendar has less than 150000 of them.
    """

    resolution: Resolution
    counted: Counted = "line"
    _form: tuple[Form, int] | None = None
    """That of the file, and where it stands first."""
    _first: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Bar time → number and written time of its first row."""

    def check(self, number: int, text: str, bar_time: int) -> None:
        """Raises ValueError for a time in another form than before, or another time within the same bar."""
        self.check_form(number, text, form_of(text))
        if self.resolution.minutes is None:
            self._check_bar(number, text, bar_time)

    def check_form(self, number: int, text: str, form: Form) -> None:
        """The same for the form alone: an epoch among dates, or in the other unit, or a date with an offset among those
        without."""
        if self._form is None or (self._form[0] == "zero" and form not in _DATES):
            self._form = (form, number)
        expected, first = self._form
        if form == expected or (form == "zero" and expected not in _DATES):
            return
        dates, other = form in _DATES, f"{self.counted} {first} is"
        if dates != (expected in _DATES):
            raise ValueError(f"time {text} is {_KINDS[dates]}, but {other} {_KINDS[not dates]}; write all in one form")
        raise ValueError(f"time {text} is {_NAMED[form]}, but {other} {_NAMED[expected]}; {_ADVICE[dates]}")

    def _check_bar(self, number: int, text: str, bar_time: int) -> None:
        first_number, first_text = self._first.setdefault(bar_time, (number, text))
        if text == first_text:
            return
        kind = "intraday bars" if self._intraday(first_text, text) else f"bars finer than {self.resolution}"
        raise ValueError(
            f"a second row for the bar of {ms_text(bar_time)}; these look like {kind}"
            f" ({self.counted} {first_number} says {first_text}, this one {text})"
        )

    def _intraday(self, first: str, second: str) -> bool:
        return self.resolution is Resolution.DAY or parse_time(first).date() == parse_time(second).date()


def form_of(text: str) -> Form:
    """The form of a readable time."""
    match = _EPOCH.fullmatch(text)
    # 20240102 is a date; only those are read without a time zone.
    if match is None or (len(match[1]) == _BASIC_DATE_DIGITS and parse_time(text).tzinfo is None):
        return "aware" if any(sign in text[_OFFSET_FROM:] for sign in "Z+-") else "naive"
    if not int(match[1]):
        return "zero"
    return "milliseconds" if int(match[1]) >= MS_THRESHOLD else "seconds"
