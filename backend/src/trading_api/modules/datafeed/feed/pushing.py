"""From a pushed quote to a tick: checked against the conventions of its symbol. A price of 0 is none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from trading_api.models.market import PushedQuote
from trading_api.modules.datafeed.bar_time import EARLIEST, LATEST, epoch_ms, ms_text, to_ms
from trading_api.modules.datafeed.decimals import MAX_DIGITS
from trading_api.modules.datafeed.feed.price_unit import price_unit
from trading_api.modules.datafeed.feed.tick import Tick
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.unknown_symbol import not_found_text

_EARLIEST, _LATEST = to_ms(EARLIEST), to_ms(LATEST)
_LIMIT = 10**MAX_DIGITS
AHEAD_MS = 5 * 60_000
"""A quote of the future would never go stale. Tests may run a few bars ahead of the clock."""
Find = Callable[[str], Instrument | None]


@dataclass(frozen=True, slots=True)
class PushProblem:
    """What is wrong with one pushed quote: its place in the list, the field, and in words."""

    place: int
    field: str
    message: str


class PushError(ValueError):
    """Quotes that cannot be stored; `problems` has all of them, and nothing was stored."""

    def __init__(self, problems: Sequence[PushProblem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda each: each.place))
        super().__init__("; ".join(f"{each.place}.{each.field}: {each.message}" for each in self.problems[:3]))


def make_ticks(quotes: Sequence[PushedQuote], find: Find, now: int) -> tuple[dict[int, Tick], list[PushProblem]]:
    """The ticks by their place in the list, and what is wrong with the others. `now` is ms UTC."""
    ticks, problems = dict[int, Tick](), list[PushProblem]()
    for place, quote in enumerate(quotes):
        instrument = find(quote.symbol)
        found = [PushProblem(place, field, message) for field, message in _problems(quote, instrument, now)]
        problems += found
        if instrument is not None and not found:
            ticks[place] = _tick(quote, instrument, now)
    return ticks, problems


def late_problem(place: int, newest: int) -> PushProblem:
    """That of a time which goes back behind the newest one of its symbol, ms UTC."""
    return PushProblem(place, "time", f"before the newest quote of the symbol ({ms_text(newest)}, {newest} ms)")


def _problems(quote: PushedQuote, instrument: Instrument | None, now: int) -> Iterator[tuple[str, str]]:
    if instrument is None:
        yield "symbol", not_found_text(quote.symbol)
        return
    unit = price_unit(instrument)
    if unit is None:
        yield "symbol", f"the price step of {instrument.name} is no decimal number"
        return
    for name, price in (("bid", quote.bid), ("ask", quote.ask), ("last", quote.last)):
        if price is not None:
            yield from ((name, problem) for problem in _price_problems(price, instrument))
    if quote.bid > quote.ask > 0:
        yield "bid", f"{quote.bid:f} is above the ask {quote.ask:f}"
    yield from (("volume", problem) for problem in _volume_problems(quote.volume, instrument))
    if quote.time is not None:
        yield from (("time", problem) for problem in _time_problems(epoch_ms(quote.time), now))


def _time_problems(time: int, now: int) -> Iterator[str]:
    if not _EARLIEST <= time < _LATEST:
        yield "not within the years 1801 to 2199"
    elif time > now + AHEAD_MS:
        yield f"{ms_text(time)} is more than {AHEAD_MS // 60_000} minutes ahead of the clock, {ms_text(now)}"


def _price_problems(price: Decimal, instrument: Instrument) -> Iterator[str]:
    if price * instrument.pricescale >= _LIMIT:
        yield f"{price:f} is out of range"
    elif price * instrument.pricescale % instrument.minmov:
        yield f"{price:f} is not on the price step {instrument.tick:f}"


def _volume_problems(volume: Decimal, instrument: Instrument) -> Iterator[str]:
    steps = volume.scaleb(instrument.volume_precision)
    if steps >= _LIMIT:
        yield f"{volume:f} is out of range"
    elif steps % 1:
        yield f"{volume:f} is not on the quantity step {instrument.quantity_step:f}"


def _tick(quote: PushedQuote, instrument: Instrument, now: int) -> Tick:
    unit, scale = price_unit(instrument) or (1, 0)
    bid, ask = (int(price.scaleb(scale)) for price in (quote.bid, quote.ask))
    return Tick(
        symbol=instrument.name,
        time=now if quote.time is None else epoch_ms(quote.time),
        price_scale=scale,
        bid=bid,
        ask=ask,
        last=int(quote.last.scaleb(scale)) if quote.last else _middle(bid, ask, unit),
        volume_scale=instrument.volume_precision,
        volume=int(quote.volume.scaleb(instrument.volume_precision)),
    )


def _middle(bid: int, ask: int, unit: int) -> int:
    """Rounded down to the price step; 0 where a side is missing, for then nobody knows a middle."""
    return (bid + ask) // 2 // unit * unit if bid and ask else 0
