"""Where pushed quotes are kept, in the order in which they came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, insert, select

from trading_api.modules.datafeed.feed.last_price import LastPrice, with_last
from trading_api.modules.datafeed.feed.tick import StoredTick, Tick
from trading_api.modules.datafeed.tables import manual_ticks
from trading_api.shared.store.engine import hold_lock, reading, writing

_LOCK = "manual_ticks"
_PAGE = 5000
_COLUMNS = manual_ticks.c


class TickOrderError(ValueError):
    """Ticks that are older than what their symbol has; `late` maps their places in the list to the newest time."""

    def __init__(self, late: Mapping[int, int]) -> None:
        super().__init__("a tick is older than the newest one of its symbol")
        self.late = late


class TickStore:
    """Reads and appends, from any thread. Raises StoreError."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, ticks: Sequence[Tick], untimed: frozenset[int]) -> int:
        """Store all of them or none; the number of the last one.

        Those at the places `untimed` were given no time of their own: they are moved up to the newest of their symbol.
        Those with one side and no last price get one (`with_last`). Raises TickOrderError.
        """
        with writing(self._engine) as connection:
            # One writer at a time also on PostgreSQL: numbers become visible in their order, so a reader misses none.
            hold_lock(connection, _LOCK)
            ordered = _in_order(ticks, untimed, _newest_times(connection, {tick.symbol for tick in ticks}))
            priced = with_last(ordered, _last_prices(connection, {tick.symbol for tick in ticks if not tick.last}))
            connection.execute(insert(manual_ticks), [_values(tick) for tick in priced])
            return _newest(connection)

    def check(self, ticks: Sequence[Tick], untimed: frozenset[int]) -> None:
        """Raises TickOrderError where `append` would, as far as can be told without storing them."""
        with reading(self._engine) as connection:
            newest = {} if connection is None else _newest_times(connection, {tick.symbol for tick in ticks})
        _in_order(ticks, untimed, newest)

    def newest(self) -> int:
        """The number of the last tick; 0 if there is none."""
        with reading(self._engine) as connection:
            return 0 if connection is None else _newest(connection)

    def newest_priced(self, symbol: str, until: int) -> Tick | None:
        """The newest tick of a symbol that has a last price, of those with a number up to `until`."""
        query = (
            select(manual_ticks)
            .where(_COLUMNS.symbol == symbol, _COLUMNS.seq <= until, _COLUMNS.last != 0)
            .order_by(_COLUMNS.seq.desc())
            .limit(1)
        )
        with reading(self._engine) as connection:
            row = None if connection is None else connection.execute(query).first()
        return None if row is None else _stored(row).tick

    def after(self, seq: int, *, symbol: str | None = None, since: int | None = None) -> Iterator[StoredTick]:
        """The ticks that follow a number, in their order; of one symbol and from a time (ms UTC) on, if it is said.

        Reads page by page: however many there are, they take little memory.
        """
        while True:
            page = self._page(seq, symbol, since)
            yield from page
            if len(page) < _PAGE:
                return
            seq = page[-1].seq

    def before(self, symbol: str, until: int) -> Iterator[StoredTick]:
        """The ticks of a symbol with a number up to `until`, newest first; page by page."""
        while page := self._page_before(symbol, until):
            yield from page
            until = page[-1].seq - 1

    def _page(self, seq: int, symbol: str | None, since: int | None) -> list[StoredTick]:
        query = select(manual_ticks).where(_COLUMNS.seq > seq).order_by(_COLUMNS.seq).limit(_PAGE)
        if symbol is not None:
            query = query.where(_COLUMNS.symbol == symbol)
        if since is not None:
            query = query.where(_COLUMNS.time_ms >= since)
        with reading(self._engine) as connection:
            return [] if connection is None else [_stored(row) for row in connection.execute(query)]

    def _page_before(self, symbol: str, until: int) -> list[StoredTick]:
        query = (
            select(manual_ticks)
            .where(_COLUMNS.symbol == symbol, _COLUMNS.seq <= until)
            .order_by(_COLUMNS.seq.desc())
            .limit(_PAGE)
        )
        with reading(self._engine) as connection:
            return [] if connection is None else [_stored(row) for row in connection.execute(query)]


def _newest(connection: Connection) -> int:
    return connection.execute(select(func.max(_COLUMNS.seq))).scalar() or 0


def _newest_times(connection: Connection, symbols: set[str]) -> dict[str, int]:
    """Symbol → the time of its newest tick, of those that have one."""
    times = {}
    for symbol in symbols:
        query = select(_COLUMNS.time_ms).where(_COLUMNS.symbol == symbol).order_by(_COLUMNS.seq.desc()).limit(1)
        time = connection.execute(query).scalar()
        if time is not None:
            times[symbol] = time
    return times


def _last_prices(connection: Connection, symbols: set[str]) -> dict[str, LastPrice]:
    """Symbol → its last price, of those that have one."""
    prices = {}
    for symbol in symbols:
        query = (
            select(_COLUMNS.last, _COLUMNS.price_scale)
            .where(_COLUMNS.symbol == symbol, _COLUMNS.last != 0)
            .order_by(_COLUMNS.seq.desc())
            .limit(1)
        )
        row = connection.execute(query).first()
        if row is not None:
            prices[symbol] = LastPrice(row.last, row.price_scale)
    return prices


def _in_order(ticks: Sequence[Tick], untimed: frozenset[int], newest: dict[str, int]) -> list[Tick]:
    ordered, late = [], {}
    for place, tick in enumerate(ticks):
        known = newest.get(tick.symbol, tick.time)
        if tick.time < known and place not in untimed:
            late[place] = known
        time = newest[tick.symbol] = max(tick.time, known)
        ordered.append(tick._replace(time=time))
    if late:
        raise TickOrderError(late)
    return ordered


def _values(tick: Tick) -> dict[str, object]:
    values = tick._asdict()
    return {**values, "time_ms": values.pop("time")}


def _stored(row: Row[Any]) -> StoredTick:
    return StoredTick(row[0], Tick._make(row[1:]))
