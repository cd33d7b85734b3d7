"""Reading the text of a series, the quickest way it has."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from trading_api.modules.datafeed.bars.bar_text import BarText, bar_text
from trading_api.modules.datafeed.bars.history import SeriesReader, TextReader


@runtime_checkable
class Writes(Protocol):
    """A SeriesReader that may have a quicker way to text than bar by bar."""

    def texts(self) -> TextReader:
        """Reads the same bars, as text that is the same to the byte."""
        ...


class PlainTexts:
    """A TextReader of any series."""

    def __init__(self, series: SeriesReader) -> None:
        self._series = series

    def newest(self, *, end: int | None, limit: int) -> BarText:
        """The newest `limit` bars with time < end, ascending."""
        return bar_text(self._series.newest(end=end, limit=limit))

    def between(self, *, start: int, end: int | None, limit: int) -> BarText:
        """The oldest `limit` bars with start <= time < end, ascending."""
        return bar_text(self._series.between(start=start, end=end, limit=limit))


def texts_of(series: SeriesReader) -> TextReader:
    """What reads the text of a series."""
    return series.texts() if isinstance(series, Writes) else PlainTexts(series)
