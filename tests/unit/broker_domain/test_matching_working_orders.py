"""The index of working orders says what a plain look at every order would say, in the same order."""

from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from support.matching_orders import BUY, SELL, limit, order, quote, stop, stop_limit, trailing

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.matching import fill_price, stop_hit
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.working_orders import WorkingOrders

Key = tuple[str, str]


def index(*orders: Order, account: str = "A") -> WorkingOrders:
    working = WorkingOrders()
    for number, one in enumerate(orders):
        working.put(account, replace(one, id=str(number)))
    return working


def ids(keys: tuple[Key, ...]) -> list[str]:
    return [order_id for _, order_id in keys]


@pytest.mark.parametrize("status", [one for one in OrderStatus if one is not OrderStatus.WORKING])
def test_D03_an_order_that_does_not_work_is_never_due(status: OrderStatus) -> None:
    working = index(limit(BUY, "100"))
    working.put("A", replace(limit(BUY, "100"), id="0", status=status))
    assert (len(working), working.due(quote("89", "90"))) == (0, ())


def test_D03_what_is_unknown_can_be_discarded_and_asked_for() -> None:
    working = index(limit(BUY, "100"))
    working.discard("A", "7")
    working.discard("B", "0")
    assert len(working) == 1
    nothing = WorkingOrders()
    now = quote("1", "1")
    assert (nothing.due(now), nothing.trailing(now), nothing.expired("AAPL", 1)) == ((), (), ())


def test_D03_the_best_price_comes_first_then_the_oldest() -> None:
    young, old = replace(limit(BUY, "101"), created_ms=20), replace(limit(BUY, "101"), created_ms=10)
    working = index(limit(BUY, "100"), young, old, limit(BUY, "102"), limit(BUY, "99"))
    assert ids(working.due(quote("99", "100"))) == ["3", "2", "1", "0"]


def test_D03_orders_of_one_moment_stand_by_number_not_by_text() -> None:
    working = WorkingOrders()
    for number in ("10", "9", "100"):
        working.put("A", replace(limit(SELL, "100"), id=number))
    assert ids(working.due(quote("100", "101"))) == ["9", "10", "100"]


def test_D03_the_stop_comes_before_the_take_profit() -> None:
    # A quote that crosses itself reaches both at once.
    working = index(limit(SELL, "100"), stop(SELL, "100"))
    assert ids(working.due(quote("100", "100"))) == ["1", "0"]


def test_D03_a_new_price_takes_the_place_of_the_old_one() -> None:
    working = index(limit(BUY, "100"), limit(BUY, "101"))
    working.put("A", replace(limit(BUY, "90"), id="0"))
    assert ids(working.due(quote("99", "100"))) == ["1"]
    assert ids(working.due(quote("89", "90"))) == ["1", "0"]


@pytest.mark.parametrize("side", Side)
def test_D03_a_market_order_is_due_at_any_quote_and_before_every_limit(side: Side) -> None:
    working = index(limit(side, "100"), order(OrderType.MARKET, side), trailing(side, "5"))
    assert ids(working.due(quote("100", "100"))) == ["1", "0"]


def test_D03_a_triggered_stop_limit_waits_for_its_limit() -> None:
    waiting = stop_limit(BUY, "100", "95")
    assert ids(index(waiting).due(quote("99", "100"))) == ["0"]
    assert ids(index(replace(waiting, triggered=True)).due(quote("99", "100"))) == []
    assert ids(index(replace(waiting, triggered=True)).due(quote("94", "95"))) == ["0"]


def test_D03_a_symbol_knows_only_its_own_quotes_and_an_account_its_own_orders() -> None:
    working = index(limit(BUY, "100"))
    working.put("B", replace(limit(BUY, "100"), id="0"))
    assert working.due(quote("89", "90", symbol="MSFT")) == ()
    assert working.due(quote("89", "90")) == (("A", "0"), ("B", "0"))
    working.discard("A", "0")
    assert working.due(quote("89", "90")) == (("B", "0"),)


def test_D03_only_the_trailing_stops_that_a_quote_moves_are_asked_to_follow() -> None:
    sell, buy = trailing(SELL, "50", anchor="100", at="99.50"), trailing(BUY, "50", anchor="102", at="102.50")
    working = index(sell, buy, trailing(SELL, "1"), trailing(BUY, "1"), stop(SELL, "90"))
    assert ids(working.trailing(quote("100", "102"))) == ["2", "3"]
    assert ids(working.trailing(quote("100.01", "102"))) == ["2", "0", "3"]
    assert ids(working.trailing(quote("99", "101.99"))) == ["2", "3", "1"]
    assert ids(working.due(quote("99.50", "102.50"))) == ["0", "1"]


def test_D03_orders_expire_in_their_time() -> None:
    late, soon, never = (replace(limit(BUY, "1"), expires_ms=end) for end in (200, 100, None))
    working = index(late, soon, never)
    assert [ids(working.expired("AAPL", now)) for now in (99, 100, 200)] == [[], ["1"], ["1", "0"]]
    assert working.expired("MSFT", 200) == ()
    working.discard("A", "1")
    assert ids(working.expired("AAPL", 200)) == ["0"]


# The whole of it against a list.

PRICES = st.integers(1, 12).map(Decimal)
SIDES = st.sampled_from(Side)


@st.composite
def any_order(draw: st.DrawFn) -> Order:
    made = order(
        draw(st.sampled_from([OrderType.LIMIT, OrderType.STOP, OrderType.STOP_LIMIT])),
        draw(SIDES),
        limit=str(draw(PRICES)),
        stop=str(draw(PRICES)),
        name=str(draw(st.integers(1, 12))),
    )
    return replace(
        made,
        symbol=draw(st.sampled_from(["AAPL", "MSFT"])),
        status=draw(st.sampled_from([OrderStatus.WORKING] * 4 + [OrderStatus.INACTIVE, OrderStatus.FILLED])),
        triggered=made.type is OrderType.STOP_LIMIT and draw(st.booleans()),
        trail_pips=draw(st.none() | PRICES) if made.type is OrderType.STOP else None,
        trail_anchor=draw(st.none() | PRICES),
        expires_ms=draw(st.none() | st.integers(1, 9)),
        created_ms=draw(st.integers(1, 3)),
    )


@st.composite
def any_quote(draw: st.DrawFn) -> Quote:
    bid = draw(PRICES)
    return quote(str(bid), str(bid + draw(st.integers(0, 3))), symbol=draw(st.sampled_from(["AAPL", "MSFT"])))


@dataclass(frozen=True)
class Plain:
    """A look at every order of a symbol, and a sort."""

    orders: dict[Key, Order]
    symbol: str

    def due(self, now: Quote) -> tuple[Key, ...]:
        reached = {key: one for key, one in self._working() if stop_hit(one, now) or fill_price(one, now) is not None}
        return tuple(sorted(reached, key=lambda key: self._turn(key, reached[key])))

    def trailing(self, now: Quote) -> set[Key]:
        return {key for key, one in self._working() if one.trail_pips is not None and _favours(one, now)}

    def expired(self, now_ms: int) -> list[Key]:
        ended = [(one.expires_ms, *_arrival(key, one)) for key, one in self._working() if one.expires_ms is not None]
        return [(account, name) for end, _, account, _, name in sorted(ended) if end <= now_ms]

    def _working(self) -> list[tuple[Key, Order]]:
        found = [(key, one) for key, one in self.orders.items() if one.symbol == self.symbol]
        return [(key, one) for key, one in found if one.status is OrderStatus.WORKING]

    def _turn(self, key: Key, one: Order) -> tuple[object, ...]:
        waits = one.awaits_trigger
        at = one.stop_price if waits else one.limit_price
        assert at is not None
        first = (one.side is SELL) if waits else (one.side is BUY)  # these stand from the highest price down
        return (not waits, not first, -at if first else at, *_arrival(key, one))


def _arrival(key: Key, one: Order) -> tuple[int, str, int, str]:
    return one.created_ms, key[0], int(key[1]), key[1]


def _favours(one: Order, now: Quote) -> bool:
    if one.trail_anchor is None:
        return True
    return now.ask < one.trail_anchor if one.side is BUY else now.bid > one.trail_anchor


class IndexMachine(RuleBasedStateMachine):
    """Puts, replacements and removals in any order; after each the index equals the list."""

    def __init__(self) -> None:
        super().__init__()
        self.index = WorkingOrders()
        self.orders: dict[Key, Order] = {}

    @rule(account=st.sampled_from("AB"), orders=st.lists(any_order(), min_size=1, max_size=8))
    def put(self, account: str, orders: list[Order]) -> None:
        for one in orders:
            self.index.put(account, one)
            self.orders[account, one.id] = one

    @rule(account=st.sampled_from("AB"), name=st.integers(1, 12).map(str))
    def discard(self, account: str, name: str) -> None:
        self.index.discard(account, name)
        self.orders.pop((account, name), None)

    @rule(now=any_quote(), now_ms=st.integers(0, 10))
    def ask(self, now: Quote, now_ms: int) -> None:
        plain = Plain(self.orders, now.symbol)
        assert self.index.due(now) == plain.due(now)
        assert set(self.index.trailing(now)) == plain.trailing(now)
        assert list(self.index.expired(now.symbol, now_ms)) == plain.expired(now_ms)

    @invariant()
    def only_what_works_is_counted(self) -> None:
        assert len(self.index) == sum(one.status is OrderStatus.WORKING for one in self.orders.values())


TestD03IndexEqualsAPlainLook = IndexMachine.TestCase
TestD03IndexEqualsAPlainLook.settings = settings(max_examples=15, stateful_step_count=12, deadline=None)


@given(st.lists(any_order(), max_size=20), st.permutations(range(20)), any_quote())
@settings(max_examples=40, deadline=None)
def test_D03_what_is_due_does_not_depend_on_the_order_of_putting(
    orders: list[Order], shuffled: list[int], now: Quote
) -> None:
    named = [replace(one, id=str(number)) for number, one in enumerate(orders)]
    straight, mixed = WorkingOrders(), WorkingOrders()
    for one in named:
        straight.put("A", one)
    for place in shuffled:
        if place < len(named):
            mixed.put("A", named[place])
    assert straight.due(now) == mixed.due(now)
