"""Many bars in little memory."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator

from trading_api.modules.datafeed.bars.bar import ScaledBar

_TYPES = "qbqqqqbq"


class BarColumns:
    """Bars ascending by time, 50 bytes each."""

    def __init__(self, bars: Iterable[ScaledBar]) -> None:
        columns = list(zip(*bars, strict=True)) or [()] * len(_TYPES)
        self._columns = [array(code, column) for code, column in zip(_TYPES, columns, strict=True)]

    def __len__(self) -> int:
        return len(self._columns[0])

    def __getitem__(self, number: int) -> ScaledBar:
        return ScaledBar(*(column[number] for column in self._columns))

    def __iter__(self) -> Iterator[ScaledBar]:
        return map(ScaledBar, *self._columns)

    def since(self, number: int) -> Iterator[ScaledBar]:
        """The bars from one on."""
        return map(ScaledBar, *(column[number:] for column in self._columns)) if number else iter(self)

    def time(self, number: int) -> int:
        """When a bar begins, ms UTC."""
        begins: int = self._columns[0][number]
        return begins

    def first_from(self, time: int) -> int:
        """The number of the first bar with that time or a later one."""
        return bisect_left(self._columns[0], time)

    def last_until(self, time: int) -> int:
        """The number of the last bar with that time or an earlier one; -1 if there is none."""
        return bisect_right(self._columns[0], time) - 1
