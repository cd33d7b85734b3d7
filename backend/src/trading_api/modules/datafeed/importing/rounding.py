"""How prices with the noise of binary floats are to be rounded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trading_api.modules.datafeed.decimals import MAX_DIGITS, Scaled
from trading_api.modules.datafeed.importing.float_noise import safe_decimals


@dataclass(slots=True)
class Rounding:
    """Finds the columns that have noise, and to how many decimals they can be rounded without loss of any price."""

    cells: int = 0
    """How many have noise."""
    _positions: set[int] = field(default_factory=set)
    _fewest: int = 0
    """As many as any price has: without noise, or behind it."""
    _most: int = MAX_DIGITS
    """With more some noise would stay."""

    def note_price(self, decimals: int) -> None:
        """A price without noise."""
        self._fewest = max(self._fewest, decimals)

    def note_noise(self, position: int, number: Scaled, before: Scaled | None) -> None:
        """One with noise: its column, from 0, and what was meant by it (None: nobody knows)."""
        self.cells += 1
        self._positions.add(position)
        if before is None:
            self._most = -1
        else:
            self._fewest = max(self._fewest, before.scale)
            self._most = min(self._most, safe_decimals(number, before))

    def advice(self, columns: Sequence[str], *, seen_all: bool) -> str:
        """What to do, for a file with these four columns of prices; `seen_all`: all of its prices have been noted.

        Decimals that could destroy a price are never named.
        """
        names = list(dict.fromkeys(columns[position] for position in sorted(self._positions)))
        known = seen_all and self._fewest <= self._most
        decimals = str(self._fewest) if known else "N"
        meaning = "that they have" if known else "that such prices have on their market (N)"
        polars = f"pl.col({', '.join(map(repr, names))}).round({decimals})"
        pandas = f"df.round({{{', '.join(f'{name!r}: {decimals}' for name in names)}}})"
        return (
            f"prices with the noise of binary floats make no price step; round them to the decimals {meaning}, "
            f"as {polars} does in polars and {pandas} in pandas, and import the file then"
        )
