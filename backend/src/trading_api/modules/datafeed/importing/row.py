"""From the cells of one row to a bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from trading_api.modules.datafeed.bar_time import BarClock
from trading_api.modules.datafeed.bars.bar import ScaledBar, bar_problems, make_bar
from trading_api.modules.datafeed.decimals import Scaled, parse_scaled
from trading_api.modules.datafeed.importing.columns import Columns
from trading_api.modules.datafeed.importing.hints import number_hint, time_hint, with_hint
from trading_api.modules.datafeed.importing.problems import RowError

_NAMES = ("open", "high", "low", "close", "volume")
_ZERO = Scaled(0, 0)


@dataclass(frozen=True, slots=True)
class RowReader:
    """Reads rows of `width` cells."""

    columns: Columns
    clock: BarClock
    width: int

    def read(self, cells: Sequence[str]) -> ScaledBar:
        """Raises ValueError with what is wrong with the row: a RowError where that may be several things."""
        if len(cells) != self.width:
            self._check_width(cells)
        problems: list[str] = []
        time = self._time(cells, problems)
        numbers = self._numbers(cells, problems)
        if problems:
            raise RowError(problems)
        bar = make_bar(time, numbers[:4], numbers[4])
        if found := bar_problems(bar):
            raise RowError(found)
        return bar

    def written_time(self, cells: Sequence[str]) -> str:
        """The time of the row as the file has it; date and time of day with a space between."""
        return " ".join([cells[position].strip() for position in self.columns.time])

    def _check_width(self, cells: Sequence[str]) -> None:
        """Empty cells at the end do no harm."""
        if len(cells) < self.width or any(cell.strip() for cell in cells[self.width :]):
            raise ValueError(f"{len(cells)} cells, but the header has {self.width}")

    def _time(self, cells: Sequence[str], problems: list[str]) -> int:
        text = self.written_time(cells)
        try:
            return self.clock.bar_time(text)
        except ValueError as error:
            problems.append(with_hint(str(error), time_hint(text)))
            return 0

    def _numbers(self, cells: Sequence[str], problems: list[str]) -> list[Scaled]:
        """Open, high, low, close and volume; zero where there is a problem, or no volume column."""
        numbers = []
        for name, position in zip(_NAMES, (*self.columns.prices, self.columns.volume), strict=True):
            text = "0" if position is None else cells[position].strip()
            try:
                number = parse_scaled(text)
            except ValueError as error:
                problems.append(with_hint(f"{name}: {error}", number_hint(text)))
                number = _ZERO
            numbers.append(number)
        return numbers
