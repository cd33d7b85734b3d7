"""All known instruments: the shipped catalogue, and what imports have added to the store."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trading_api.modules.datafeed.instrument import Instrument, SymbolRef
from trading_api.modules.datafeed.store import Store


@dataclass(frozen=True, slots=True)
class InstrumentDirectory:
    """Looks symbols up; where both know a name the catalogue holds. Its methods raise StoreError."""

    catalogue: tuple[Instrument, ...]
    store: Store

    def all(self) -> list[Instrument]:
        shipped = {instrument.name for instrument in self.catalogue}
        added = [instrument for instrument in self.store.instruments() if instrument.name not in shipped]
        return [*self.catalogue, *added]

    def find(self, symbol: str) -> Instrument | None:
        """By `NAME` or `EXCHANGE:NAME`, in any case; None when unknown."""
        ref = SymbolRef.parse(symbol)
        if ref.name in {instrument.name for instrument in self.catalogue}:
            return _first(self.catalogue, ref)
        return _first(self.store.instruments(), ref)

    def is_shipped(self, instrument: Instrument) -> bool:
        return instrument in self.catalogue


def _first(instruments: Iterable[Instrument], ref: SymbolRef) -> Instrument | None:
    return next((instrument for instrument in instruments if ref.matches(instrument)), None)
