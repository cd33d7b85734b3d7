"""Which column of a file holds what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from trading_api.modules.datafeed.importing.problems import FileError

# In order of preference.
NAMES: dict[str, tuple[str, ...]] = {
    "time": ("datetime", "timestamp", "time", "date", "t"),
    "open": ("open", "o"),
    "high": ("high", "h"),
    "low": ("low", "l"),
    "close": ("close", "c"),
    "volume": ("volume", "v", "vol"),
}
_NUMBER = re.compile(r"[+-]?\d+([.,]\d*)?", re.ASCII)
FIELDS = ("time", "date", "open", "high", "low", "close", "volume")


@dataclass(frozen=True, slots=True)
class Columns:
    """Positions in a row, from 0. `time` has two when date and time of day stand apart; `volume` may be missing."""

    time: tuple[int, ...]
    prices: tuple[int, int, int, int]
    """Open, high, low, close."""
    volume: int | None

    def price_names(self, header: Sequence[str]) -> list[str]:
        """What the file calls the four prices."""
        return [header[position] for position in self.prices]

    @property
    def positions(self) -> tuple[int, ...]:
        """All of them: of the time, the four prices, and the volume if there is one."""
        return (*self.time, *self.prices, *(() if self.volume is None else (self.volume,)))


def parse_overrides(text: str) -> dict[str, str]:
    """Read `time=Date,open=O`. Raises ValueError for an unknown or repeated field, or a missing name."""
    chosen: dict[str, str] = {}
    for part in text.split(","):
        field, equals, name = (piece.strip() for piece in part.partition("="))
        if not equals or not name or field not in FIELDS or field in chosen:
            raise ValueError(f"columns: {part!r} is not FIELD=NAME with each of {', '.join(FIELDS)} at most once")
        chosen[field] = name
    return chosen


def find_columns(header: Sequence[str], overrides: Mapping[str, str]) -> Columns:
    """Find the columns by name, in any case, unless `overrides` names them.

    Separate `date` and `time` columns belong together. Raises FileError with what is missing and what was found.
    """
    names = [name.strip().strip("<>").lower() for name in header]
    found = {field: _find(field, names, overrides) for field in NAMES}
    missing = [field for field, position in found.items() if position is None and field != "volume"]
    if missing:
        shown = ", ".join(name.strip() or "(empty)" for name in header)
        raise FileError(f"no column for {', '.join(missing)}; found: {shown[:500]}; {_advice(header, missing[0])}")
    positions = {field: position for field, position in found.items() if position is not None}
    prices = (positions["open"], positions["high"], positions["low"], positions["close"])
    return Columns(time=_time_columns(positions["time"], names, overrides), prices=prices, volume=found["volume"])


def _advice(header: Sequence[str], missing: str) -> str:
    if len(header) == 1:
        return "cells are separated by comma, semicolon, tab or |"
    if any(_NUMBER.fullmatch(name.strip()) for name in header):
        return "the first line must name the columns"
    return f"name it with --columns {missing}=NAME"


def _find(field: str, names: Sequence[str], overrides: Mapping[str, str]) -> int | None:
    if field in overrides:
        wanted = overrides[field].lower()
        if wanted not in names:
            raise FileError(f"no column {overrides[field]!r}, which --columns names for {field}")
        return _only(wanted, names)
    return next((_only(name, names) for name in NAMES[field] if name in names), None)


def _time_columns(position: int, names: Sequence[str], overrides: Mapping[str, str]) -> tuple[int, ...]:
    if "date" in overrides:
        date = _find("date", names, overrides)
        return (position,) if date is None else (date, position)
    if "time" not in overrides and names[position] == "time" and "date" in names:
        return (_only("date", names), position)
    return (position,)


def _only(name: str, names: Iterable[str]) -> int:
    positions = [position for position, other in enumerate(names) if other == name]
    if len(positions) > 1:
        raise FileError(f"column {name!r} stands {len(positions)} times in the header")
    return positions[0]
