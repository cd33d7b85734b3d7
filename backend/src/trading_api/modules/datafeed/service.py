"""The datafeed's work: symbols and history."""

from __future__ import annotations

from functools import cached_property

from trading_api.modules.datafeed.catalogue import load_catalogue
from trading_api.modules.datafeed.directory import InstrumentDirectory
from trading_api.modules.datafeed.history import Between, History, Newest, select_history
from trading_api.modules.datafeed.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution, in_order, parse_resolution
from trading_api.modules.datafeed.search import search
from trading_api.modules.datafeed.store import SeriesKey, Store
from trading_api.shared.service import Service


class UnknownSymbolError(LookupError):
    """No instrument has this name."""

    def __init__(self) -> None:
        super().__init__("Symbol not found")


class ResolutionError(ValueError):
    """No bars of this resolution are stored; the message lists those that are."""


class DatafeedService(Service):
    """Every method reads the store and may block for as long as that takes: not for the event loop.

    All raise StoreError when the store cannot be read.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    @cached_property
    def directory(self) -> InstrumentDirectory:
        """Every instrument there is. Raises CatalogueError when the shipped file has been broken."""
        return InstrumentDirectory(load_catalogue(), self._store)

    async def startup(self) -> None:
        # A broken catalogue must fail the start-up, not the first request.
        _ = self.directory

    async def shutdown(self) -> None:
        self._store.close()

    def instruments(self) -> list[Instrument]:
        """Shipped and imported ones."""
        return self.directory.all()

    def stored_resolutions(self) -> tuple[Resolution, ...]:
        """Those that at least one symbol has bars for, finest first."""
        return in_order(resolution for stored in self._store.resolutions().values() for resolution in stored)

    def search(self, text: str, *, exchange: str, symbol_type: str, limit: int) -> list[Instrument]:
        """The best `limit` matches, best first."""
        return search(self.instruments(), text, exchange=exchange, symbol_type=symbol_type, limit=limit)

    def resolve(self, symbol: str) -> tuple[Instrument, tuple[Resolution, ...]]:
        """An instrument by `NAME` or `EXCHANGE:NAME`, and the resolutions it has bars of. Raises UnknownSymbolError."""
        instrument = self.directory.find(symbol)
        if instrument is None:
            raise UnknownSymbolError
        return instrument, self._store.resolutions().get(instrument.name, ())

    def history(self, symbol: str, resolution: str, wanted: Between | Newest) -> History:
        """Bars of one symbol. Raises UnknownSymbolError, ResolutionError, RangeError."""
        instrument, stored = self.resolve(symbol)
        try:
            chosen = parse_resolution(resolution)
        except ValueError as error:
            raise ResolutionError(str(error)) from error
        if chosen not in stored:
            offer = f"stored: {', '.join(stored)}" if stored else "no bars are stored for it yet; import some"
            raise ResolutionError(f"resolution {chosen} of {instrument.name} is not stored; {offer}")
        return select_history(self._store.series(SeriesKey(instrument.name, chosen)), wanted)
