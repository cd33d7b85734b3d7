"""The history of a replayed symbol: what is stored, up to the virtual now."""

from __future__ import annotations

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import SeriesReader


class ReplaySeries:
    """A SeriesReader. `head` is the newest bar as it stands now; None: nothing has begun, so there is nothing."""

    def __init__(self, stored: SeriesReader, head: ScaledBar | None) -> None:
        self._stored = stored
        self._head = head

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        """The newest `limit` bars with time < end, ascending."""
        head = self._head
        if head is None:
            return []
        if end is not None and end <= head.time:
            return self._stored.newest(end=end, limit=limit)
        return [*(self._stored.newest(end=head.time, limit=limit - 1) if limit > 1 else []), head]

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        """The oldest `limit` bars with start <= time < end, ascending."""
        head = self._head
        if head is None or start > head.time:
            return []
        if end is not None and end <= head.time:
            return self._stored.between(start=start, end=end, limit=limit)
        found = self._stored.between(start=start, end=head.time, limit=limit) if start < head.time else []
        return [*found, head] if len(found) < limit else found
