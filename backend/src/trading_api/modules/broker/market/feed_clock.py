"""The datafeed's clock, which in a replay runs elsewhere and faster than that of the day."""

from __future__ import annotations

from dataclasses import dataclass

# An answer that took longer says too little about when its time was read.
LONGEST_TRIP_S = 0.25
# So far apart two times show how fast the clock runs.
_BASE_S = 1.0
# Within it the clock is taken to run like any other, and to be as wrong as the answers were late.
_SAME = 0.05
# After this much of disagreement it was set, or is another's.
_JUMP_MS = 2000.0


@dataclass(frozen=True, slots=True)
class _Mark:
    """The clock said `time_ms` at `at` (monotonic seconds)."""

    at: float
    time_ms: int


class FeedClock:
    """Tells the datafeed's time between the answers that carry it."""

    def __init__(self) -> None:
        self._base: _Mark | None = None
        self._newest: _Mark | None = None
        self._rate = 1.0

    @property
    def is_sure(self) -> bool:
        """Whether it is known how fast the clock runs."""
        return self._base is not None and self._newest is not None and self._newest.at - self._base.at >= _BASE_S

    def hear(self, time_ms: int, asked: float, answered: float) -> None:
        """The clock said `time_ms` (ms UTC) between two moments, monotonic seconds."""
        mark = _Mark((asked + answered) / 2, time_ms)
        if answered - asked <= LONGEST_TRIP_S:
            self._learn(mark)
        elif self._base is None:
            self._newest = mark

    def _learn(self, mark: _Mark) -> None:
        if self._newest is not None and mark.at <= self._newest.at:
            return
        if self._base is None or self._was_set(mark):
            self._base, self._rate = mark, 1.0
        elif mark.at - self._base.at >= _BASE_S:
            self._rate = _rate(self._base, mark)
        self._newest = mark

    def now(self, at: float) -> int | None:
        """ms UTC at a moment, monotonic seconds; None: it was never heard."""
        if self._newest is None:
            return None
        return self._newest.time_ms + round((at - self._newest.at) * 1000 * self._rate)

    def _was_set(self, mark: _Mark) -> bool:
        """Whether it says what it could not have come to by running on."""
        expected = self.now(mark.at)
        return self.is_sure and expected is not None and abs(mark.time_ms - expected) > _JUMP_MS * max(1.0, self._rate)


def _rate(base: _Mark, mark: _Mark) -> float:
    rate = max(0.0, (mark.time_ms - base.time_ms) / ((mark.at - base.at) * 1000))
    return 1.0 if abs(rate - 1) < _SAME else rate
