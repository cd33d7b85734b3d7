"""How far apart the bars of a file are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

# A day of 23 hours is one on which the clock is set forward.
SHORTEST_DAY_MS = 23 * 3_600_000
FEWEST_BARS = 2


@dataclass(slots=True)
class Spacing:
    """Finds out whether all bars are a day or more apart, in whatever order they come.

    Each stretch of 23 hours can hold one such bar, so that a bar is compared only with those of its own stretch and
    of the two beside it. All are forgotten at the first two that are closer; else there are less than 160000.
    """

    _close: bool = False
    _bars: dict[int, int] = field(default_factory=dict)

    def note_all(self, bar_times: Iterable[int]) -> None:
        """Take over the times of some bars, ms UTC."""
        for bar_time in bar_times:
            if self._close:
                return
            self.note(bar_time)

    def note(self, bar_time: int) -> None:
        """Take over the time of a bar, ms UTC; the same one again does not count."""
        if self._close:
            return
        stretch = bar_time // SHORTEST_DAY_MS
        for neighbour in (stretch - 1, stretch, stretch + 1):
            distance = abs(self._bars.get(neighbour, bar_time) - bar_time)
            if 0 < distance < SHORTEST_DAY_MS:
                self._close = True
                self._bars.clear()
                return
        self._bars[stretch] = bar_time

    @property
    def daily(self) -> bool:
        """Whether there are at least two bars, and none within a day of another."""
        return not self._close and len(self._bars) >= FEWEST_BARS
