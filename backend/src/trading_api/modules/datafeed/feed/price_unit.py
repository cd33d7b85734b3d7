"""The price step of an instrument as an exact decimal."""

from __future__ import annotations

from trading_api.modules.datafeed.instruments.instrument import Instrument

_MAX_SCALE = 18


def price_unit(instrument: Instrument) -> tuple[int, int] | None:
    """The price step as (coefficient, number of decimals), or None when it is no decimal number, such as a third."""
    for scale in range(_MAX_SCALE + 1):
        unit, rest = divmod(instrument.minmov * 10**scale, instrument.pricescale)
        if not rest and unit:
            return unit, scale
    return None
