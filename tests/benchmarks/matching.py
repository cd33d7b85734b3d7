"""A quote against 10,000 working orders of one symbol: beside a plain look at every order, and beside bisect alone.

Then the same for the broker as a whole, in memory: the desk with its accounts, margin and events.
"""

import random
import statistics
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from benchmarks.result import Result, ratios
from support.project import Project

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.events import ExecutionEvent
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.matching import fill_price
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.requests import PlaceOrder
from trading_api.modules.broker.domain.working_orders import WorkingOrders

ORDERS, HITS, ACCOUNTS = 10_000, 100, 500
SYMBOL = "AAPL"
_TICK = Decimal("0.01")
_CALLS = {"index": 2_000, "scan": 5, "bisect": 2_000}
_KINDS = [(kind, side) for kind in (OrderType.LIMIT, OrderType.STOP) for side in Side]

Match = Callable[[Quote], Sequence[object]]


@dataclass(frozen=True)
class Owned:
    """An order and whose it is."""

    account_id: str
    order: Order


def run(_: Project, runs: int) -> Iterator[Result]:
    """Which orders a quote reaches and at what price, when it reaches none and when it reaches a hundred."""
    book = made_up(ORDERS)
    matches = {"index": by_index(book), "scan": by_scan(book), "bisect": by_bisect(book)}
    for reached, text in ((0, "none"), (HITS, f"{HITS}")):
        now = quote_that_reaches(book, reached)
        assert len(matches["index"](now)) == len(matches["scan"](now)) == len(matches["bisect"](now)) == reached
        times = {name: list[float]() for name in matches}
        for _run in range(runs):
            for name, match in matches.items():
                times[name].append(microseconds(match, now, _CALLS[name]))
        what = f"quote that reaches {text} of 10,000 orders"
        yield Result(what, tuple(times["index"]), "us", limit=400 if reached else 20)
        scan = ratios(times["scan"], times["index"])
        yield Result("the same by a look at every order / ours", scan, "x", 10 if reached else 100, at_least=True)
        yield Result("ours / bisect in bare lists of prices", ratios(times["index"], times["bisect"]), "x")
    replaced = tuple(replacing(book) for _ in range(runs))
    yield Result("new price for one of 10,000 working orders", replaced, "us", limit=100)
    yield from _at_the_desk(book, runs)


def _at_the_desk(book: Sequence[Owned], runs: int) -> Iterator[Result]:
    desk, quiet = desk_with(book), quote_that_reaches(book, 0)
    idle = tuple(microseconds(lambda now: desk.on_market(seen(now), 0), quiet, 500) for _ in range(runs))
    yield Result("the whole desk at a quote that reaches none", idle, "us", limit=100)
    filled = tuple(filling(desk, quote_that_reaches(book, HITS * number)) for number in range(1, runs + 1))
    yield Result("the whole desk, one of about 100 fills of a quote", filled, "us")


def made_up(orders: int) -> list[Owned]:
    """So many limits and stops at a distance from a market of 500.00 to 500.01; always the same."""
    drawn, book = random.Random(1), list[Owned]()
    for number in range(orders):
        kind, side = _KINDS[number % len(_KINDS)]
        # Buy limits and sell stops lie below the market, the others above it.
        sign = -1 if (kind is OrderType.LIMIT) == (side is Side.BUY) else 1
        price = Decimal(500) + sign * drawn.randint(100, 20_000) * _TICK
        limit, stop = (price, None) if kind is OrderType.LIMIT else (None, price)
        order = Order(
            str(number),
            SYMBOL,
            kind,
            side,
            Decimal(10),
            OrderStatus.WORKING,
            limit,
            stop,
            arrived=True,
            created_ms=number,
        )
        book.append(Owned(f"ACC-{drawn.randrange(ACCOUNTS):04}", order))
    return book


def quote_that_reaches(book: Sequence[Owned], hits: int) -> Quote:
    """The market as it was, or risen to where so many stops and limits above it are reached (or a few more)."""
    if not hits:
        return Quote(SYMBOL, Decimal(500), Decimal("500.01"), 0)
    # Without a spread: sell limits are reached by the bid, buy stops by the ask.
    price = sorted(price for one in book if (price := _price(one.order)) > 500)[hits - 1]
    return Quote(SYMBOL, price, price, 0)


def by_index(book: Sequence[Owned]) -> Match:
    """As the broker does it: the index says which, in their turn, and the rule says at what price."""
    working = WorkingOrders()
    orders: dict[tuple[str, str], Order] = {}
    for one in book:
        working.put(one.account_id, one.order)
        orders[one.account_id, one.order.id] = one.order

    def match(now: Quote) -> Sequence[object]:
        working.trailing(now)
        working.expired(SYMBOL, now.time_ms)
        return [(key, fill_price(orders[key], now)) for key in working.due(now)]

    return match


def by_scan(book: Sequence[Owned]) -> Match:
    """The rule for every order, and a sort of what it fills: the simplest thing that is right."""

    def match(now: Quote) -> Sequence[object]:
        found = [(one, price) for one in book if (price := fill_price(one.order, now)) is not None]
        found.sort(
            key=lambda hit: (hit[0].order.type is not OrderType.STOP, _price(hit[0].order), hit[0].order.created_ms)
        )
        return [(one.account_id, one.order.id, price) for one, price in found]

    return match


def by_bisect(book: Sequence[Owned]) -> Match:
    """Four sorted lists of bare prices and a slice of each: no owners, no rule, no change. Less is not possible."""
    buys, sells, rising, falling = (
        sorted(_price(one.order) for one in book if _is(one.order, *kind)) for kind in _KINDS
    )

    def match(now: Quote) -> Sequence[object]:
        return [
            *buys[bisect_left(buys, now.ask) :],
            *sells[: bisect_right(sells, now.bid)],
            *rising[: bisect_right(rising, now.ask)],
            *falling[bisect_left(falling, now.bid) :],
        ]

    return match


def _is(order: Order, kind: OrderType, side: Side) -> bool:
    return order.type is kind and order.side is side


def _price(order: Order) -> Decimal:
    price = order.limit_price or order.stop_price
    assert price is not None
    return price


def microseconds(match: Match, now: Quote, calls: int) -> float:
    """Of one call, the median of many."""
    times = []
    for _ in range(calls):
        started = time.perf_counter()
        match(now)
        times.append(time.perf_counter() - started)
    return statistics.median(times) * 1e6


def replacing(book: Sequence[Owned]) -> float:
    """Microseconds to put an order at another price, the mean over all of them."""
    working = WorkingOrders()
    for one in book:
        working.put(one.account_id, one.order)
    others = [Owned(one.account_id, moved(one.order)) for one in book]
    random.Random(2).shuffle(others)
    started = time.perf_counter()
    for one in others:
        working.put(one.account_id, one.order)
    return (time.perf_counter() - started) / len(others) * 1e6


def moved(order: Order) -> Order:
    """The same, one dollar further up."""
    if order.limit_price is None:
        return replace(order, stop_price=_price(order) + 1)
    return replace(order, limit_price=order.limit_price + 1)


def desk_with(book: Sequence[Owned]) -> Desk:
    """Accounts that can afford all of it, and the orders placed one by one."""
    desk, before = Desk(AccountTerms(balance=Decimal(10**9))), quote_that_reaches(book, 0)
    for one in book:
        if not desk.has(one.account_id):
            desk.open(one.account_id)
        order = one.order
        placed = PlaceOrder(SYMBOL, order.type, order.side, order.qty, order.limit_price, order.stop_price)
        desk.execute(one.account_id, placed, lambda _: seen(before), order.created_ms)
    return desk


def seen(quote: Quote) -> MarketView:
    """An open market with that quote."""
    instrument = TradedInstrument(SYMBOL, _TICK, Decimal(1))
    return MarketView(instrument, quote, stale=False, is_open=True, session_end_ms=None, now_ms=quote.time_ms)


def filling(desk: Desk, now: Quote) -> float:
    """Microseconds of one fill of those that the quote brings."""
    started = time.perf_counter()
    events = desk.on_market(seen(now), 0)
    passed = time.perf_counter() - started
    return passed / sum(isinstance(event, ExecutionEvent) for event in events) * 1e6
