"""The times of dated bars: 00:00 UTC of a date."""

from __future__ import annotations

from datetime import date, timedelta

from trading_api.modules.datafeed.bar_time import EPOCH, period_start
from trading_api.modules.datafeed.feed.schedule import Schedule, SessionWindow
from trading_api.modules.datafeed.resolution import Resolution

DAY_MS = 86_400_000
# Days that lead from a period into the next one.
_INTO_NEXT = {Resolution.DAY: 1, Resolution.WEEK: 7, Resolution.MONTH: 31}


def midnight(day: date) -> int:
    """00:00 UTC of a date, ms UTC."""
    return (day.toordinal() - EPOCH.toordinal()) * DAY_MS


def date_of(time: int) -> date:
    """The reverse."""
    return date.fromordinal(time // DAY_MS + EPOCH.toordinal())


def period_end(resolution: Resolution, period: int) -> int:
    """When the next day, week or month begins, as the time of a bar."""
    return midnight(period_start(date_of(period) + timedelta(days=_INTO_NEXT[resolution]), resolution))


def first_session(schedule: Schedule, bar_time: int) -> SessionWindow:
    """The first session with the date of a dated bar, or a later one."""
    window = schedule.latest(bar_time)
    while midnight(window.day) < bar_time:
        window = schedule.after(window)
    while midnight((before := schedule.before(window)).day) >= bar_time:
        window = before
    return window
