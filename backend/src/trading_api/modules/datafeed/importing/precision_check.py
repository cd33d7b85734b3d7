"""Bars finer than the instrument they are imported for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.instruments.instrument import Instrument


@dataclass(slots=True)
class PrecisionCheck:
    """Counts rows with a price that is no multiple of the tick, and rows with a volume finer than the precision."""

    instrument: Instrument
    prices: int = 0
    volumes: int = 0
    _price_scale: int = 0
    _volume_scale: int = 0

    def note(self, bars: Sequence[ScaledBar]) -> None:
        """Take over some rows."""
        for scale in {bar.price_scale for bar in bars}:
            self._note_prices(scale, bars)
        finest = self.instrument.volume_precision
        fine = [bar.volume_scale for bar in bars if bar.volume_scale > finest]
        self.volumes += len(fine)
        self._volume_scale = max(self._volume_scale, *fine, 0)

    def warnings(self) -> Iterator[str]:
        """One, or none."""
        name = self.instrument.name
        found = []
        if self.prices:
            finest = f"the finest has {_decimals(self._price_scale)}"
            found.append(f"{_rows(self.prices)} prices off the tick {self.instrument.tick} of {name} ({finest})")
        if self.volumes:
            finest = f"the finest has {_decimals(self._volume_scale)}"
            step = self.instrument.quantity_step
            found.append(f"{_rows(self.volumes)} volumes finer than the step {step} of {name} ({finest})")
        if found:
            yield f"{'; '.join(found)}; they are kept as they are, but charts round them"

    def _note_prices(self, scale: int, bars: Sequence[ScaledBar]) -> None:
        # A price is a number of ticks when price * pricescale is a multiple of minmov.
        step = self.instrument.minmov * 10**scale
        factor = self.instrument.pricescale
        if factor % step == 0:
            return
        off = sum(1 for bar in bars if bar.price_scale == scale and any(price * factor % step for price in bar[2:6]))
        if off:
            self.prices += off
            self._price_scale = max(self._price_scale, scale)


def _decimals(count: int) -> str:
    return "1 decimal" if count == 1 else f"{count} decimals"


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"
