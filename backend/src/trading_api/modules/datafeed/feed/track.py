"""What the price of a replayed day follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.bar_path import Stretch
from trading_api.modules.datafeed.feed.columns import BarColumns
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, SessionWindow
from trading_api.modules.datafeed.resolution import Resolution


@dataclass(frozen=True, slots=True)
class Track:
    """The finest bars there are, ascending, each traded in [time, end), ms UTC.

    A day that has dated bars only follows one of them (`dated`) through all sessions of its `stretches`.
    """

    bars: BarColumns
    ends: Sequence[int]
    dated: Resolution | None = None
    stretches: tuple[Stretch, ...] = ()


def dated_track(resolution: Resolution | None, bar: ScaledBar | None, stretches: tuple[Stretch, ...]) -> Track:
    """Follows one bar; None: there is nothing to follow."""
    if bar is None:
        return Track(BarColumns(()), ())
    return Track(BarColumns([bar]), [stretches[-1][1]], resolution, stretches)


def intraday_track(window: SessionWindow, stored: Mapping[Resolution, BarColumns]) -> Track | None:
    """The finest bars of a day, and coarser ones where there are no finer. None: there are none."""
    bars: list[tuple[ScaledBar, int]] = []
    for resolution, columns in stored.items():
        assert resolution.minutes, "no dated bars here"
        ended = [(bar, bar_end(window, bar.time, resolution.minutes)) for bar in columns]
        bars = _filled(bars, ended) if bars else ended
    return Track(BarColumns(bar for bar, _ in bars), [end for _, end in bars]) if bars else None


def bar_end(window: SessionWindow, time: int, minutes: int) -> int:
    """When an intraday bar is over, ms UTC: one of the session with it at the latest."""
    end = time + minutes * MINUTE_MS
    return min(end, window.end) if time < window.end else end


def _filled(bars: list[tuple[ScaledBar, int]], coarser: list[tuple[ScaledBar, int]]) -> list[tuple[ScaledBar, int]]:
    """`bars` with those of the coarser ones that overlap none of them; all ascending, each with its end."""
    fitting, at = [], 0
    for bar, end in coarser:
        while at < len(bars) and bars[at][1] <= bar.time:
            at += 1
        # The first that is not over when this one begins.
        if at == len(bars) or bars[at][0].time >= end:
            fitting.append((bar, end))
    return sorted([*bars, *fitting], key=lambda each: each[0].time) if fitting else bars
