"""Bars whose prices would make a price step that nobody trades at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.decimals import Scaled
from trading_api.modules.datafeed.importing.bar_reader import Numbered
from trading_api.modules.datafeed.importing.float_noise import (
    FEWEST_DIGITS,
    MOST_DECIMALS,
    is_noise,
    meant,
    shortest,
)
from trading_api.modules.datafeed.importing.problems import ProblemLog
from trading_api.modules.datafeed.importing.rounding import Rounding
from trading_api.modules.datafeed.instruments.instrument import Instrument

_NAMES = ("open", "high", "low", "close")
_LONG = 10 ** (FEWEST_DIGITS - 1)


@dataclass(slots=True)
class NoiseCheck:
    """Refuses rows of an instrument that becomes as fine as its bars are, when that is the noise of binary floats.

    What its price step holds already, the noise of an earlier import too, is no problem.
    """

    instrument: Instrument
    problems: ProblemLog
    columns: Sequence[str] = _NAMES
    """What the file calls the columns of the four prices."""
    advice: str | None = None
    """What to do about it, once the file was read."""
    _rounding: Rounding = field(default_factory=Rounding)

    def note(self, bars: Sequence[Numbered]) -> None:
        """Take over some rows."""
        finest = 0
        for row, bar in bars:
            # Long numbers alone can be noise, and of a bar's prices, which have one scale, the high is the longest.
            if bar.high >= _LONG:
                self._note_row(row, bar)
            elif bar.price_scale > finest:
                finest = bar.price_scale
        self._rounding.note_price(finest)

    def finish(self) -> None:
        """Say what to do, once for the whole file, where anything was refused."""
        if self._rounding.cells:
            # Nobody has seen the prices of rows that were refused for something else.
            seen_all = self.problems.count == self._rounding.cells
            self.advice = self._rounding.advice(self.columns, seen_all=seen_all)

    def warnings(self, price_scale: int, volume_scale: int) -> Iterator[str]:
        """Of a price step that is finer than that of the file (so many decimals) by noise, and of a new volume step."""
        name, pricescale = self.instrument.name, self.instrument.pricescale
        if pricescale > 10 ** max(MOST_DECIMALS, price_scale):
            yield (
                f"{name} keeps its pricescale {pricescale}, though these prices have no more than "
                f"{price_scale} decimals; 'instruments import --replace' changes it"
            )
        if volume_scale > max(MOST_DECIMALS, self.instrument.volume_precision):
            yield (
                f"the volumes have up to {volume_scale} decimals, and {name} gets the quantity step 1e-{volume_scale}; "
                "if that is the noise of binary floats, round the column before the import"
            )

    def _note_row(self, row: int, bar: ScaledBar) -> None:
        for position, price in enumerate(bar[2:6]):
            number = shortest(price, bar.price_scale)
            if 10**number.scale <= self.instrument.pricescale or not is_noise(number):
                self._rounding.note_price(number.scale)
                continue
            before = meant(number)
            self._rounding.note_noise(position, number, before)
            self.problems.add(row, f"{_NAMES[position]}: {number} is no price: {_reason(number, before)}")


def _reason(number: Scaled, before: Scaled | None) -> str:
    if before is None:
        return f"it has {number.scale} decimals"
    return f"it is {before} with the noise of a binary float"
