"""Schedules that differ in every way that matters, and bars for them."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.calendars import calendar
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule
from trading_api.modules.datafeed.session import parse_session

PRICE_SCALE, VOLUME_SCALE = 2, 4


def market(session: str, zone: str, code: str) -> Schedule:
    return Schedule(parse_session(session), ZoneInfo(zone), calendar(code) if code else None)


MARKETS = {
    "AAPL": market("0930-1600", "America/New_York", "XNYS"),
    "EURUSD": market("1700-1700", "America/New_York", "24/5"),
    "BTCUSD": market("24x7", "Etc/UTC", ""),
    "ES": market("1700-1600", "America/Chicago", "CMES"),
    "SEOUL": market("0900-1530", "Asia/Seoul", "XKRX"),
}


def walk(times: Iterator[int], seed: int) -> Iterator[ScaledBar]:
    """A bar for each time, whose prices and volumes have as few decimals as they need."""
    random = Random(seed)
    price = 1_900_000
    for time in times:
        first, price = price, price + random.randrange(-90, 91)
        high, low = max(first, price) + random.randrange(40), min(first, price) - random.randrange(40)
        yield trimmed(time, (first, high, low, price), random.randrange(10**7))


def trimmed(time: int, prices: tuple[int, int, int, int], volume: int) -> ScaledBar:
    """A bar from numbers with `PRICE_SCALE` and `VOLUME_SCALE` decimals."""
    scale, volume_scale = PRICE_SCALE, VOLUME_SCALE
    while scale and all(price % 10 == 0 for price in prices):
        first, high, low, last = prices
        scale, prices = scale - 1, (first // 10, high // 10, low // 10, last // 10)
    while volume_scale and volume % 10 == 0:
        volume_scale, volume = volume_scale - 1, volume // 10
    return ScaledBar(time, scale, *prices, volume_scale, volume)


def untrimmed(bar: ScaledBar) -> tuple[int, int, int, int, int, int]:
    """Time, open, high, low, close and volume, with `PRICE_SCALE` and `VOLUME_SCALE` decimals."""
    factor, volume_factor = 10 ** (PRICE_SCALE - bar.price_scale), 10 ** (VOLUME_SCALE - bar.volume_scale)
    prices = (price * factor for price in (bar.open, bar.high, bar.low, bar.close))
    first, high, low, last = prices
    return bar.time, first, high, low, last, bar.volume * volume_factor


def session_minutes(schedule: Schedule, first: date, days: int) -> Iterator[int]:
    """The minutes of all sessions, ms UTC."""
    for number in range(days):
        window = schedule.window(first + timedelta(days=number))
        if window is not None:
            yield from range(window.start, window.end, MINUTE_MS)
