"""Bars on their way into a store, as an import brings them."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.store import Comparison, SeriesKey, Store
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

MINUTE, DAY = 60_000, 86_400_000
ALWAYS = Instrument("ABC", "X", "crypto", "ABC", "24x7", "Etc/UTC", 100, 1, 0)
NEW_YORK = Instrument("ABC", "X", "stock", "ABC", "0930-1600", "America/New_York", 100, 1, 0)
EVERY_TIME = 10**15


def at(text: str) -> int:
    """ISO time in UTC → ms."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def bar(time: int, price: int = 10, volume: int = 1) -> ScaledBar:
    """A bar around a price, in whole numbers."""
    return ScaledBar(time, 0, price, price + 2, price - 1, price + 1, 0, volume)


def put(
    store: Store,
    resolution: Resolution,
    bars: Iterable[ScaledBar],
    instrument: Instrument = ALWAYS,
    *,
    new: bool = False,
) -> Comparison:
    """Import bars, whatever they replace."""
    with store.staging(SeriesKey(instrument.name, resolution)) as staging:
        staging.add(list(enumerate(bars, start=2)))
        staging.merge(limit=1)
        comparison = staging.compare(limit=5, lock=True)
        staging.commit(instrument, new=new)
    return comparison


def served(store: Store, resolution: Resolution, symbol: str = "ABC") -> Sequence[ScaledBar]:
    """All bars of a symbol at one resolution."""
    return store.series(SeriesKey(symbol, resolution)).newest(end=None, limit=EVERY_TIME)


def all_served(store: Store, symbol: str = "ABC") -> dict[Resolution, Sequence[ScaledBar]]:
    """All that is served of a symbol."""
    return {resolution: served(store, resolution, symbol) for resolution in store.resolutions_of(symbol)}
