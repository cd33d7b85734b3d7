"""How the simulator draws a symbol: roughly at which price, how restless, how busy. Made up, and only that."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from trading_api.modules.datafeed.feed.noise import Noise, between
from trading_api.modules.datafeed.instruments.instrument import Instrument

_PROFILE = 5


@dataclass(frozen=True, slots=True)
class Profile:
    """`price` in quote currency is what it reverts to; `daily_ppm` a day's move in millionths; `volume` units a day."""

    price: Decimal
    daily_ppm: int
    volume: int


_KNOWN = {
    "AAPL": Profile(Decimal(190), 15_000, 55_000_000),
    "MSFT": Profile(Decimal(420), 13_000, 22_000_000),
    "GOOG": Profile(Decimal(175), 15_000, 20_000_000),
    "EURUSD": Profile(Decimal("1.09"), 4_500, 200_000),
    "BTCUSD": Profile(Decimal(65_000), 28_000, 25_000),
    "ES": Profile(Decimal(5_800), 9_500, 1_500_000),
}
# (lowest and highest price, a day's move, volume) of a symbol that an import added.
_BY_TYPE = {"forex": ((1, 2), 5_000, 200_000), "crypto": ((1, 500), 28_000, 100_000)}
_OTHERS = ((20, 400), 12_000, 1_000_000)


def profile_of(instrument: Instrument, noise: Noise) -> Profile:
    """The symbol's own profile, or one drawn for its type."""
    if instrument.name in _KNOWN:
        return _KNOWN[instrument.name]
    (low, high), daily_ppm, volume = _BY_TYPE.get(instrument.type, _OTHERS)
    cents = between(noise.words(_PROFILE, 0, 0)[0], low * 100, high * 100)
    return Profile(Decimal(cents) / 100, daily_ppm, volume)
