"""The store of bars in a SQL database: SQLite or PostgreSQL."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from sqlalchemy import Engine

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import TextReader
from trading_api.modules.datafeed.bars.rollups import never_computed, rebuild
from trading_api.modules.datafeed.bars.served import BEGIN_OF_TIME, END_OF_TIME, Slice, series_ids, served_rows
from trading_api.modules.datafeed.bars.staging import BarStaging
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.bars.stored_resolutions import all_resolutions, resolutions_of
from trading_api.modules.datafeed.bars.stored_text import StoredText
from trading_api.modules.datafeed.bars.texts import PlainTexts
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.store.engine import address_of, open_engine, reading, writing

logger = logging.getLogger(__name__)


def open_store(url: str) -> BarStore:
    """Opens nothing yet. Raises StoreUrlError."""
    return BarStore(open_engine(url))


class BarStore:
    """Implements Store. Reading never makes a store: one that is not there yet is empty. The first import makes it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def place(self) -> str:
        return address_of(self.engine).place

    def resolutions(self) -> dict[str, tuple[Resolution, ...]]:
        with reading(self.engine) as connection:
            return {} if connection is None else all_resolutions(connection)

    def resolutions_of(self, symbol: str) -> tuple[Resolution, ...]:
        with reading(self.engine) as connection:
            return () if connection is None else resolutions_of(connection, symbol)

    def series(self, key: SeriesKey) -> BarSeries:
        return BarSeries(self.engine, key)

    @contextmanager
    def staging(self, key: SeriesKey) -> Iterator[BarStaging]:
        with closing(BarStaging(self.engine, key)) as staging:
            yield staging

    def rebuild(self, instrument: Instrument) -> None:
        with writing(self.engine) as connection:
            rebuild(connection, instrument)

    def rebuild_missing(self, find: Callable[[str], Instrument | None]) -> list[str]:
        """The same for every symbol of a store that is older than computed bars; those that `find` knows.

        Returns their names. Raises StoreError. A symbol whose bars cannot be added up is left as it is, and logged.
        """
        with reading(self.engine) as connection:
            missing = [] if connection is None else never_computed(connection)
        known = (instrument for instrument in map(find, missing) if instrument is not None)
        return [instrument.name for instrument in known if self._rebuilt(instrument)]

    def _rebuilt(self, instrument: Instrument) -> bool:
        try:
            self.rebuild(instrument)
        except ValueError as error:
            logger.warning("no coarser bars of %s: %s", instrument.name, error)
            return False
        return True

    def close(self) -> None:
        """Closes the connections of the engine, which whoever shares it would open again."""
        self.engine.dispose()


class BarSeries:
    """Reads the served bars of one symbol at one resolution."""

    def __init__(self, engine: Engine, key: SeriesKey) -> None:
        self._engine = engine
        self._key = key

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        bars = self._read(Slice(BEGIN_OF_TIME, END_OF_TIME if end is None else end, limit, newest=True))
        bars.reverse()
        return bars

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        return self._read(Slice(start, END_OF_TIME if end is None else end, limit))

    def texts(self) -> TextReader:
        """Reads the same bars as text."""
        return StoredText(self._engine, self._key) if self._engine.dialect.name == "sqlite" else PlainTexts(self)

    def _read(self, wanted: Slice) -> list[ScaledBar]:
        with reading(self._engine) as connection:
            if connection is None:
                return []
            ids = series_ids(connection, self._key.symbol, self._key.resolution)
            rows = served_rows(connection, ids, self._key.resolution, wanted)
        return list(map(ScaledBar._make, rows))
