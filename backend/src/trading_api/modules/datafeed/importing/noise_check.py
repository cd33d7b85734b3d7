"""Bars whose prices would make a price step that nobody trades at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.importing.bar_reader import Numbered
from trading_api.modules.datafeed.importing.float_noise import FEWEST_DIGITS, MOST_DECIMALS, is_noise, meant, shortest
from trading_api.modules.datafeed.importing.problems import Problem, ProblemLog
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
    found: bool = False
    _decimals: int | None = None

    def note(self, bars: Sequence[Numbered]) -> None:
        """Take over some rows."""
        for row, bar in bars:
            # Long numbers alone can be noise, and of a bar's prices, which have one scale, the high is the longest.
            if bar.high >= _LONG:
                self._note_row(row, bar)

    def finish(self) -> None:
        """Say what to do, once for the whole file, where anything was refused."""
        if self.found:
            decimals = "N" if self._decimals is None else self._decimals
            advice = (
                "prices with the noise of binary floats make no price step; round them to the decimals that they have, "
                f"as pl.col('open').round({decimals}) does in polars and df.round({decimals}) in pandas, "
                "and import the file then"
            )
            self.problems.extend(1, [Problem(None, advice)])

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
        for name, price in zip(_NAMES, bar[2:6], strict=True):
            number = shortest(price, bar.price_scale)
            if 10**number.scale <= self.instrument.pricescale or not is_noise(number):
                continue
            self.found = True
            self.problems.add(row, f"{name}: {number} is no price: {self._reason(price, bar.price_scale)}")

    def _reason(self, price: int, scale: int) -> str:
        number = shortest(price, scale)
        before = meant(number)
        if before is None:
            return f"it has {number.scale} decimals"
        self._decimals = max(self._decimals or 0, before.scale)
        return f"it is {before} with the noise of a binary float"
