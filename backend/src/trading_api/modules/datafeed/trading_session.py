"""When a symbol trades next, by the feed's clock."""

from __future__ import annotations

from trading_api.models.market import TradingSession
from trading_api.modules.datafeed.feed.live import LiveFeed
from trading_api.modules.datafeed.feed.play_watch import nothing_to_play
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.instruments.instrument import Instrument


class ClockError(RuntimeError):
    """The feed's clock does not run yet; the message says why, to clients."""


def trading_session(feed: LiveFeed, instrument: Instrument, catalogue: str = "") -> TradingSession:
    """The current session of an instrument, or the next one when it is closed.

    `catalogue` is the version of the instruments, as the directory tells it. Not for the event loop: it may read the
    store. Raises ClockError, StoreError, ValueError when the instrument's session, time zone or calendar cannot be
    used, and LookupError when it has no session for months.
    """
    schedule, now = Schedule.of(instrument), feed_time(feed)
    window = schedule.latest(now)
    if window.end <= now:
        window = schedule.after(window)
    return TradingSession(
        symbol=instrument.name,
        isOpen=window.start <= now,
        start=window.start,
        end=window.end,
        time=now,
        catalogue=catalogue,
    )


def feed_time(feed: LiveFeed) -> int:
    """What time it is for the feed, ms UTC: that of the day, but in a replay, which plays another one.

    Raises ClockError and StoreError.
    """
    if not feed.source.plays_store:
        return feed.now()
    moment = feed.fresh_board(()).moment
    if not moment:
        raise ClockError(feed.source.problem or nothing_to_play())
    return moment
