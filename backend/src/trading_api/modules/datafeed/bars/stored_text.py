"""The text of stored bars, written by SQLite itself.

For each row of an answer the driver lets the interpreter go and takes it back: threads that ask at once queue for it
thousands of times. An answer of one row costs half the time, and most of that is spent where the interpreter is free
for other requests.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    LargeBinary,
    Select,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

from trading_api.modules.datafeed.bars.bar_text import NO_BARS, BarText, bar_template
from trading_api.modules.datafeed.bars.served import (
    BEGIN_OF_TIME,
    END_OF_TIME,
    NO_SERIES,
    SERVED,
    SeriesIds,
    Slice,
    series_ids,
    served_values,
)
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.decimals import MAX_DIGITS
from trading_api.shared.store.engine import reading
from trading_api.shared.store.schema import INT64

_PRICES = ("open", "high", "low", "close")


class _Extent(NamedTuple):
    """What the bars of a slice have in common: times in ms UTC, both included, and numbers of decimals."""

    bars: int
    first: int
    last: int
    price_scale: int
    least_price_scale: int
    volume_scale: int
    least_volume_scale: int


class _Form(NamedTuple):
    """A query for text. `mixed`: not all bars have the same number of decimals."""

    both: bool
    price_decimals: bool
    volume_decimals: bool
    mixed: bool


class StoredText:
    """A TextReader of the served bars of one symbol at one resolution, of a store in SQLite."""

    def __init__(self, engine: Engine, key: SeriesKey) -> None:
        self._engine = engine
        self._key = key

    def newest(self, *, end: int | None, limit: int) -> BarText:
        """The newest `limit` bars with time < end, ascending."""
        return self._read(Slice(BEGIN_OF_TIME, END_OF_TIME if end is None else end, limit, newest=True))

    def between(self, *, start: int, end: int | None, limit: int) -> BarText:
        """The oldest `limit` bars with start <= time < end, ascending."""
        return self._read(Slice(start, END_OF_TIME if end is None else end, limit))

    def _read(self, wanted: Slice) -> BarText:
        with reading(self._engine) as connection:
            if connection is None:
                return NO_BARS
            ids = series_ids(connection, self._key.symbol, self._key.resolution)
            return NO_BARS if ids == NO_SERIES else self._written(connection, ids, wanted)

    def _written(self, connection: Connection, ids: SeriesIds, wanted: Slice) -> BarText:
        asked = served_values(ids, self._key.resolution, wanted)
        extent = _Extent._make(connection.execute(_extent_query(ids.both, wanted.newest), asked).one())
        if not extent.bars:
            return NO_BARS
        # The same bars, but from the oldest on: so they come as they lie, and need no sorting.
        same = Slice(extent.first, extent.last + 1, extent.bars)
        values = {**served_values(ids, self._key.resolution, same), **_format(extent)}
        text = connection.execute(_text_query(_form(ids, extent)), values).scalar_one()
        return BarText(text=text, count=extent.bars, last_time=extent.last)


def _form(ids: SeriesIds, extent: _Extent) -> _Form:
    mixed = (extent.least_price_scale, extent.least_volume_scale) != (extent.price_scale, extent.volume_scale)
    return _Form(ids.both, extent.price_scale > 0, extent.volume_scale > 0, mixed)


def _format(extent: _Extent) -> dict[str, int | str]:
    return {
        "format": bar_template(extent.price_scale, extent.volume_scale),
        "price_unit": 10**extent.price_scale,
        "volume_unit": 10**extent.volume_scale,
    }


@cache
def _extent_query(both: bool, newest: bool) -> Select[int, int, int, int, int, int, int]:
    bars = SERVED[both, newest].subquery()
    price, volume = bars.c.price_scale, bars.c.volume_scale
    lengths = (func.max(price), func.min(price), func.max(volume), func.min(volume))
    return select(func.count(), func.min(bars.c.time_ms), func.max(bars.c.time_ms), *lengths)


@cache
def _text_query(form: _Form) -> Select[bytes]:
    """All bars in one text. group_concat takes them in the order of the subquery, which SQLite keeps for its sake."""
    served = SERVED[form.both, False].subquery()
    bars = _with_units(served) if form.mixed else served
    prices = (part for name in _PRICES for part in _parts(bars, name, form.price_decimals, "price"))
    volume = _parts(bars, "volume", form.volume_decimals, "volume")
    bar = func.printf(bindparam("format"), bars.c.time_ms, *prices, *volume)
    return select(cast(func.group_concat(bar, ","), LargeBinary))


def _parts(bars: FromClause, name: str, decimals: bool, kind: str) -> list[ColumnElement[int]]:
    """A number as bar_template wants it: its whole part and its decimals, or itself if no bar has any."""
    number, common = bars.c[name], bindparam(f"{kind}_unit", type_=INT64)
    if not decimals:
        return [number]
    own = bars.c.get(f"own_{kind}_unit")
    if own is None:
        return [number // common, number % common]
    # First the division: a number with more decimals might not fit into 64 bits.
    return [number // own, number % own * (common // own)]


def _with_units(bars: FromClause) -> FromClause:
    """With what one is, in the scale of each bar. Its LIMIT has SQLite compute that once a bar."""
    units = (_power(bars.c[f"{kind}_scale"]).label(f"own_{kind}_unit") for kind in ("price", "volume"))
    return select(bars, *units).limit(bindparam("n")).subquery()


def _power(scale: ColumnElement[int]) -> ColumnElement[int]:
    """10 to the power of a scale: SQLite has no such function that is always there and exact."""
    return case({number: literal_column(str(10**number), INT64) for number in range(MAX_DIGITS + 1)}, value=scale)
