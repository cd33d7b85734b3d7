"""Whether streams wait for a clock that was set back, which nobody would see otherwise."""

from __future__ import annotations

import logging
from collections.abc import Collection

from trading_api.modules.datafeed.feed.board import QuoteBoard
from trading_api.modules.datafeed.feed.streams import Stream

logger = logging.getLogger(__name__)

PATIENCE_MS = 60_000


class ClockWatch:
    """Warns once when the clock is more than PATIENCE_MS behind where it was and a stream waits for it."""

    def __init__(self) -> None:
        self._furthest = 0
        self._warned = False

    def forget(self) -> None:
        """Nobody waits any more."""
        self._furthest = 0
        self._warned = False

    def look(self, board: QuoteBoard, streams: Collection[Stream]) -> None:
        """Before these are advanced to `board`."""
        behind = self._furthest - board.wall
        self._furthest = max(self._furthest, board.wall)
        if self._warned and behind <= 0:
            self._warned = False
            logger.info("the clock has caught up; live bars move again")
        if behind > PATIENCE_MS and not self._warned and any(stream.waits(board) for stream in streams):
            self._warned = True
            logger.warning(
                "the clock was set back: live bars stand still for the %d s until it has caught up; "
                "a restart lets them go on at once",
                behind // 1000,
            )
