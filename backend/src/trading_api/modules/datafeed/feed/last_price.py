"""The last price of quotes that tell none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from trading_api.modules.datafeed.decimals import MAX_DIGITS
from trading_api.modules.datafeed.feed.tape import rescale
from trading_api.modules.datafeed.feed.tick import Tick

_LIMIT = 10**MAX_DIGITS


class LastPrice(NamedTuple):
    """value = price / 10**scale, in quote currency."""

    price: int
    scale: int


def with_last(ticks: Iterable[Tick], known: Mapping[str, LastPrice]) -> Iterator[Tick]:
    """Ticks in their order; those with one side and no last price get the one before them, else the side's.

    `known` are the last prices of the symbols up to then. Of a tick without sides nothing can be said: it stays so.
    """
    prices = dict(known)
    for tick in ticks:
        priced = tick
        if not tick.last and (tick.bid or tick.ask):
            priced = tick._replace(last=_kept(prices.get(tick.symbol), tick.price_scale) or tick.bid or tick.ask)
        if priced.last:
            prices[tick.symbol] = LastPrice(priced.last, priced.price_scale)
        yield priced


def _kept(last: LastPrice | None, scale: int) -> int:
    """A last price with so many decimals; 0 where there is none, or none that a new price step has room for."""
    price = rescale(last.price, last.scale, scale) if last else 0
    return price if price < _LIMIT else 0
