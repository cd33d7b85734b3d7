"""From a batch of rows to bars: whole columns where they are as usual, else row by row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from operator import le

from trading_api.modules.datafeed.bar_time import BarClock
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.importing.columns import Columns
from trading_api.modules.datafeed.importing.problems import ProblemLog, RowError
from trading_api.modules.datafeed.importing.row import RowReader
from trading_api.modules.datafeed.importing.source import Batch, Counted
from trading_api.modules.datafeed.importing.whole_numbers import Unusual, read_columns, shortened
from trading_api.modules.datafeed.importing.whole_times import WholeTimes
from trading_api.modules.datafeed.importing.written_times import WrittenTimes

Numbered = tuple[int, ScaledBar]
"""A bar and the number of its row in the file."""


class BarReader:
    """Reads the batches of one file in their order; what is wrong goes to `problems`.

    Both ways give the same bars. Only the second can say what is wrong, and knows every form of a number and a time.
    """

    def __init__(
        self, columns: Columns, clock: BarClock, *, width: int, counted: Counted, problems: ProblemLog
    ) -> None:
        self._columns = columns
        self._row = RowReader(columns, clock, width)
        self._written = WrittenTimes(clock.resolution, counted)
        minutes = clock.resolution.minutes
        # A symbol has few bars of a day and more, and they are compared with each other by their dates.
        self._times = WholeTimes(clock.zone, minutes) if minutes else None
        self._problems = problems
        self.rows = 0
        """Rows read so far, good and bad."""

    def read(self, batch: Batch) -> list[Numbered]:
        """The good bars of a batch."""
        try:
            bars = self._whole(batch)
            self.rows += len(bars)
        except Unusual:
            bars = list(self._by_row(batch))
        return bars

    def _whole(self, batch: Batch) -> list[Numbered]:
        """Raises Unusual, before anything has been noted."""
        columns = batch.columns(self._columns.positions) if self._times else None
        if not columns or not self._times:
            raise Unusual
        dates = len(self._columns.time)
        texts = columns[0] if dates == 1 else [f"{day} {time}" for day, time in zip(*columns[:dates], strict=True)]
        times, form = self._times.read(texts)
        price_scales, prices = shortened(read_columns(columns[dates : dates + 4]))
        volume_scales, volumes = _volumes(columns[dates + 4 :])
        _check_prices(*prices)
        try:
            self._written.check_form(batch.numbers[0], texts[0], form)
        except ValueError:
            raise Unusual from None
        fields = zip(times, price_scales, *prices, volume_scales, volumes, strict=False)
        return list(zip(batch.numbers, map(ScaledBar._make, fields), strict=True))

    def _by_row(self, batch: Batch) -> Iterator[Numbered]:
        for number, cells in batch.rows():
            if not any(cell.strip() for cell in cells):
                continue
            self.rows += 1
            try:
                bar = self._row.read(cells)
                self._written.check(number, self._row.written_time(cells), bar.time)
            except RowError as error:
                for message in error.messages:
                    self._problems.add(number, message)
            except ValueError as error:
                self._problems.add(number, str(error))
            else:
                yield number, bar


def _volumes(columns: Sequence[Sequence[str]]) -> tuple[Sequence[int] | repeat[int], Sequence[int] | repeat[int]]:
    """Scales and coefficients; zeros without end where there is no such column."""
    if not columns:
        return repeat(0), repeat(0)
    scales, (volumes,) = shortened(read_columns(columns))
    return scales, volumes


def _check_prices(opens: Sequence[int], highs: Sequence[int], lows: Sequence[int], closes: Sequence[int]) -> None:
    """Raises Unusual unless low is the least and high the most of all rows; none is negative, they have no sign."""
    pairs = ((lows, opens), (lows, closes), (opens, highs), (closes, highs))
    if not all(all(map(le, less, more)) for less, more in pairs):
        raise Unusual
