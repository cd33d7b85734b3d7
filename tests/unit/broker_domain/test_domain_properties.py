"""Laws that hold after any sequence of commands and quotes (issue 5's property tests)."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.broker_domain import ACCOUNT, SESSION_END, Bed, brackets

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account import AccountState, new_account
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.amounts import EXACT, margin_of
from trading_api.modules.broker.domain.apply import apply
from trading_api.modules.broker.domain.commission import commission
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.duration import Duration, DurationKind
from trading_api.modules.broker.domain.events import (
    EquityEvent,
    ExecutionEvent,
    OrderEvent,
    PositionEvent,
    ResetEvent,
)
from trading_api.modules.broker.domain.order import Brackets
from trading_api.modules.broker.domain.outcome import Preview, Refusal
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.requests import (
    CancelOrder,
    ClosePosition,
    EditBrackets,
    ExecuteOrders,
    Fill,
    ModifyOrder,
    PlaceOrder,
    PreviewOrder,
    Request,
    Reset,
    SetLeverage,
)

TERMS = AccountTerms(Decimal(5000), commission_rate=Decimal("0.0005"), commission_per_share=Decimal("0.003"))
SYMBOLS = ("AAPL", "MSFT")
DURATIONS = (
    Duration(DurationKind.GTC),
    Duration(DurationKind.DAY),
    Duration(DurationKind.IOC),
    Duration(DurationKind.FOK),
    Duration(DurationKind.GTD, SESSION_END - 1000),
)
prices = st.integers(90, 110).map(Decimal)
quantities = st.sampled_from([Decimal(text) for text in ("1", "2", "3", "7", "0.3333", "40", "900")])
sides = st.sampled_from(Side)
symbols = st.sampled_from(SYMBOLS)
# The n-th live order (see `Run.named`), or any number: mostly one that is final or unknown.
ids = st.one_of(
    st.integers(0, 9).map("live {}".format), st.integers(0, 9).map("live {}".format), st.integers(1, 30).map(str)
)
asked = st.one_of(
    st.just(Brackets()),
    st.builds(brackets, st.none() | prices, st.none() | prices),
    st.builds(lambda profit, pips: brackets(profit, pips=pips), st.none() | prices, st.integers(50, 300)),
    st.builds(lambda price: brackets(guaranteed=price), prices),
)


@st.composite
def orders(draw: st.DrawFn) -> PlaceOrder:
    """Orders of every type; many are refused, which is a part of it."""
    kind = draw(st.sampled_from(OrderType))
    limit = draw(prices) if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None
    stop = draw(prices) if kind in (OrderType.STOP, OrderType.STOP_LIMIT) else None
    symbol, side, qty = draw(symbols), draw(sides), draw(quantities)
    duration = draw(st.sampled_from(DURATIONS))
    is_close = draw(st.sampled_from([False] * 5 + [True]))
    return PlaceOrder(symbol, kind, side, qty, limit, stop, draw(asked), duration, "", is_close)


requests = st.one_of(
    orders(),
    orders(),
    orders(),
    st.builds(ClosePosition, symbols, st.none() | quantities),
    st.builds(EditBrackets, symbols, asked),
    st.builds(CancelOrder, ids),
    st.builds(ModifyOrder, ids, st.none() | quantities, st.none() | prices, st.none() | prices, st.none() | asked),
    st.builds(lambda *fill: ExecuteOrders((Fill(*fill),)), ids, st.none() | quantities, st.none() | prices),
    st.builds(SetLeverage, symbols, st.integers(0, 101).map(Decimal)),
    st.builds(PreviewOrder, orders()),
)
quotes = st.tuples(
    symbols, prices, st.integers(0, 2), st.sampled_from(["ok"] * 8 + ["stale", "closed", "late", "no bid", "no ask"])
)
steps = st.lists(st.one_of(requests, quotes), min_size=1, max_size=40)


class Run:
    """A bed that takes steps and checks the laws after each."""

    def __init__(self) -> None:
        self.bed = Bed(TERMS)
        self.bed.quote("99", "100", "MSFT")

    def take(self, step: object) -> None:
        before = dict(self.bed.state.positions)
        seen = len(self.bed.events)
        if isinstance(step, tuple):
            symbol, bid, spread, how = step
            at = SESSION_END if how == "late" else None
            low, high = (0 if how == "no bid" else bid), (0 if how == "no ask" else bid + spread)
            self.bed.quote(low, high, symbol, stale=how == "stale", is_open=how != "closed", at=at)
        else:
            self.command(step)  # type: ignore[arg-type]
        self.check_brackets(before, seen)
        self.check_state()

    def command(self, request: Request) -> None:
        free = self.bed.free
        result = self.bed.ask(self.named(request)).result
        if isinstance(request, PreviewOrder):
            assert isinstance(result, Preview)
            assert not self.bed.last
            self.check_preview(request, result)
        if isinstance(result, Refusal):
            assert {type(event) for event in self.bed.last} <= {OrderEvent}
            assert bool(self.bed.last) == (result.order_id is not None)
            assert self.bed.free == free

    def named(self, request: Request) -> Request:
        """The request with "live 3" made the id of the fourth live order."""
        if isinstance(request, ExecuteOrders):
            fills = request.fills or ()
            return ExecuteOrders(tuple(replace(fill, order_id=self.id_of(fill.order_id)) for fill in fills))
        if isinstance(request, CancelOrder | ModifyOrder):
            return replace(request, order_id=self.id_of(request.order_id))
        return request

    def id_of(self, name: str) -> str:
        live = list(self.bed.state.orders)
        number = int(name.removeprefix("live "))
        return live[number % len(live)] if live and name.startswith("live") else str(number)

    def check_preview(self, request: PreviewOrder, told: Preview) -> None:
        """Placing it now, on a copy, is refused for the reasons that were told, and leaves the margin that was told."""
        desk = deepcopy(self.bed.desk)
        outcome = desk.execute(ACCOUNT, request.order, self.bed.view, self.bed.now_ms)
        reasons = outcome.result.reasons if isinstance(outcome.result, Refusal) else ()
        assert reasons == told.errors
        if not reasons and not request.order.brackets.stop_loss and not request.order.brackets.guaranteed_stop:
            placed = next(event.order for event in outcome.events if isinstance(event, OrderEvent))
            trades = sum(isinstance(event, ExecutionEvent) for event in outcome.events)
            if trades <= 1 and not any(order.is_bracket for order in desk.state(ACCOUNT).orders.values()):
                assert desk.free_margin(ACCOUNT) == told.free_margin_after, placed

    def check_brackets(self, before: dict[str, Position], seen: int) -> None:
        """Trade by trade: no bracket opens or increases a position."""
        held = {symbol: signed(position) for symbol, position in before.items()}
        for event in self.bed.events[seen:]:
            if isinstance(event, ExecutionEvent):
                trade = event.execution
                was = held.get(trade.symbol, Decimal(0))
                held[trade.symbol] = was + trade.side * trade.qty
                if self.bed.find(trade.order_id).is_bracket:
                    assert abs(held[trade.symbol]) == abs(was) - trade.qty

    def check_state(self) -> None:
        state = self.bed.state
        assert state.reserved == reserved_from_scratch(state)
        assert state.reserved == replace(state).reserved, "however the account got there"
        for order in state.orders.values():
            assert order.is_live
            assert order.remaining > 0
            assert order.type is not OrderType.MARKET, "it never waits"
            if order.is_close:
                assert state.positions[order.symbol].closing_side is order.side
        for symbol in SYMBOLS:
            held = state.positions.get(symbol)
            sets: dict[str, Decimal] = {}
            for order in state.orders.values():
                if order.is_bracket and order.symbol == symbol and order.status is OrderStatus.WORKING:
                    assert held is not None
                    assert order.side is held.closing_side
                    assert sets.setdefault(order.oco_id or "", order.remaining) == order.remaining
            assert sum(sets.values()) <= (held.qty if held else 0)


def reserved_from_scratch(state: AccountState) -> Decimal:
    """The rule as it is written: against a position the oldest orders are exempt, up to what is held."""
    total = Decimal(0)
    left = {symbol: held.qty for symbol, held in state.positions.items()}
    waiting = [order for order in state.orders.values() if not order.is_bracket and not order.is_close]
    for order in sorted(waiting, key=lambda each: int(each.id)):
        held = state.positions.get(order.symbol)
        exempt = min(left[order.symbol], order.remaining) if held and held.side is not order.side else Decimal(0)
        left[order.symbol] = left.get(order.symbol, Decimal(0)) - exempt
        price = order.limit_price or order.stop_price or Decimal(0)
        if opened := order.remaining - exempt:
            margin = margin_of(EXACT.multiply(opened, price), state.leverage(order.symbol))
            total = EXACT.add(total, margin + commission(TERMS, order.remaining, price))
    return total


def signed(position: Position) -> Decimal:
    return position.side * position.qty


def replayed(bed: Bed) -> None:
    """The log alone gives the same state, and a desk that is made from it goes on the same way."""
    state = new_account(ACCOUNT, TERMS)
    for event in bed.events:
        apply(state, event)
    assert state == bed.state
    assert state.reserved == bed.state.reserved
    again = Desk(TERMS)
    again.add(state)
    assert again.symbols() == bed.desk.symbols()
    for symbol in SYMBOLS:
        state_sets, bed_sets = state.sets.protecting(symbol), bed.state.sets.protecting(symbol)
        assert state_sets == bed_sets


def money_is_conserved(bed: Bed) -> None:
    """Cash = first day's + realised - fees; realised and what is open = the cash that changed hands, exactly."""
    told = [event.equity for event in bed.events if isinstance(event, EquityEvent)]
    trades = [event.execution for event in bed.events if isinstance(event, ExecutionEvent)]
    with localcontext(EXACT):
        for worth in told:
            assert worth.balance == TERMS.balance + worth.realized - worth.fees
            assert worth.unrealized is not None
            assert worth.equity == worth.balance + worth.unrealized
        flows = sum((-trade.side * trade.qty * trade.price for trade in trades), Decimal(0))
        open_cost = sum((held.side * held.cost for held in bed.state.positions.values()), Decimal(0))
        assert bed.state.realized == flows + open_cost
        assert bed.state.realized == sum((trade.realized for trade in trades), Decimal(0))
        assert bed.state.fees == sum((trade.commission for trade in trades), Decimal(0))


def log_is_sound(bed: Bed) -> None:
    """`seq` is contiguous, no event follows a final one, fills add up, positions are the signed sums."""
    assert [event.seq for event in bed.events] == list(range(1, len(bed.events) + 1))
    finals: set[str] = set()
    for event in bed.events:
        if isinstance(event, OrderEvent):
            assert event.order.id not in finals
            if event.order.is_final:
                finals.add(event.order.id)
    trades = [event.execution for event in bed.events if isinstance(event, ExecutionEvent)]
    assert all(trade.price > 0 for trade in trades)
    last = {event.order.id: event.order for event in bed.events if isinstance(event, OrderEvent)}
    for order in last.values():
        assert order.filled_qty == sum(trade.qty for trade in trades if trade.order_id == order.id)
        assert order.remaining >= 0
        assert (order.remaining == 0) == (order.status is OrderStatus.FILLED)
    for symbol in SYMBOLS:
        net = sum((trade.side * trade.qty for trade in trades if trade.symbol == symbol), Decimal(0))
        held = bed.state.positions.get(symbol)
        assert net == (signed(held) if held else 0)


def fills_are_told_in_order(bed: Bed) -> None:
    """Execution, order, position, equity, one right after the other."""
    for at, event in enumerate(bed.events):
        if isinstance(event, ExecutionEvent):
            order, position, equity = bed.events[at + 1 : at + 4]
            assert isinstance(order, OrderEvent)
            assert order.order.id == event.execution.order_id
            assert isinstance(position, PositionEvent)
            assert position.position.symbol == event.execution.symbol
            assert isinstance(equity, EquityEvent)


LAWS: list[Callable[[Bed], None]] = [replayed, money_is_conserved, log_is_sound, fills_are_told_in_order]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_D03_the_laws_hold_after_any_sequence_of_commands_and_quotes(taken: list[object]) -> None:
    run = Run()
    for step in taken:
        run.take(step)
    for law in LAWS:
        law(run.bed)


@pytest.mark.long
@pytest.mark.slow
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(requests, quotes), min_size=10, max_size=80))
def test_D03_the_laws_hold_after_many_long_random_sequences(taken: list[object]) -> None:
    run = Run()
    for step in taken:
        run.take(step)
    for law in LAWS:
        law(run.bed)


@settings(max_examples=8, deadline=None)
@given(steps, steps)
def test_D03_a_reset_account_is_as_on_its_first_day_and_its_log_goes_on(
    before: list[object], after: list[object]
) -> None:
    run = Run()
    for step in before:
        run.take(step)
    orders = run.bed.state.next_order
    run.bed.done(Reset())
    state = run.bed.state
    first = new_account(ACCOUNT, TERMS)
    first.seq, first.next_order, first.next_execution = state.seq, state.next_order, state.next_execution
    assert state == first
    assert state.next_order == orders
    assert run.bed.equity.equity == TERMS.balance
    assert isinstance(run.bed.last[-2], ResetEvent)
    for step in after:
        run.take(step)
    replayed(run.bed)
    fills_are_told_in_order(run.bed)
