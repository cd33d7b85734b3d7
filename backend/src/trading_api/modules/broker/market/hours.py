"""When a symbol trades."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TradingHours:
    """A trading session (FIX TradSesStartTime 341, TradSesEndTime 345): open for `start_ms` <= time < `end_ms`.

    ms UTC on the feed's clock. The datafeed tells the current one or, while the market is closed, the next one.
    """

    start_ms: int
    end_ms: int

    def is_open(self, now_ms: int) -> bool:
        """Whether the market is open at a time."""
        return self.start_ms <= now_ms < self.end_ms

    def is_over(self, now_ms: int) -> bool:
        """Whether the session has ended, so that another one is the current or the next."""
        return now_ms >= self.end_ms
