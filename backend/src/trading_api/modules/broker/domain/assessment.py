"""What would become of an order: the one check that placing and preview share, so that a preview tells the truth."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.amounts import text
from trading_api.modules.broker.domain.brackets import asks_any
from trading_api.modules.broker.domain.checks import duration_problems, opposing_name, order_problems
from trading_api.modules.broker.domain.equity import Marks
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.margin import (
    Need,
    available_for_trade,
    free_margin,
    margin_problem,
    need,
    need_to_rest,
)
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.matching import fill_price
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.requests import PlaceOrder
from trading_api.modules.broker.domain.reservations import resting_price

NO_BRACKETS_TO_CLOSE = Problem(None, "An order that closes a position takes no brackets.")


@dataclass(frozen=True, slots=True)
class Assessment:
    """An order that is not yet placed, and what stands against it."""

    order: Order
    """Placing."""
    problems: tuple[Problem, ...] = ()
    """It is not well formed: nothing is stored."""
    objections: tuple[Problem, ...] = ()
    """It is well formed but not allowed: it is stored as Rejected."""
    fills_at: Decimal | None = None
    """The price at which it would fill at once."""
    price: Decimal | None = None
    """The price by which it is reckoned: `fills_at`, or its own."""
    need: Need | None = None

    @property
    def against(self) -> tuple[Problem, ...]:
        """Every reason for which it would be refused."""
        return (*self.problems, *self.objections)


def draft(request: PlaceOrder, view: MarketView, order_id: str, now_ms: int) -> Order:
    """The order as it is asked for: Placing."""
    return Order(
        order_id,
        view.instrument.symbol,
        request.type,
        request.side,
        request.qty,
        OrderStatus.PLACING,
        limit_price=request.limit_price,
        stop_price=request.stop_price,
        duration=request.duration,
        expires_ms=request.duration.expires_ms(view.session_end_ms),
        is_close=request.is_close,
        brackets=request.brackets,
        custom_fields=request.custom_fields,
        created_ms=now_ms,
        updated_ms=now_ms,
    )


def assess(state: AccountState, marks: Marks, view: MarketView, order: Order) -> Assessment:
    """Look at a draft with the account, the market and the position as they are now. Raises Unvalued."""
    problems = (
        *order_problems(view.instrument, order, comparable(view), whole=_whole(state, order)),
        *duration_problems(order.duration, view.now_ms),
    )
    if problems:
        return Assessment(order, problems)
    quote = view.tradable
    objections = (*_market_objections(order, view), *_close_objections(state, order))
    fills_at = fill_price(order, quote, arriving=True) if quote is not None else None
    price = fills_at if fills_at is not None else resting_price(order)
    if not price:
        return Assessment(order, (), objections)
    if fills_at is None:
        wanted = need_to_rest(state, order, price)
    else:
        wanted = need(state, order.symbol, order.side, order.qty, price, reduces=order.is_close)
        objections = (*objections, *_bracket_objections(order, wanted))
    objections = (*objections, *_margin_objections(state, marks, order, wanted, fills_at))
    return Assessment(order, (), objections, fills_at, price, wanted)


def _whole(state: AccountState, order: Order) -> Decimal | None:
    """The quantity of the position that an order is to close."""
    held = state.positions.get(order.symbol) if order.is_close else None
    return held.qty if held is not None and held.side is not order.side else None


def comparable(view: MarketView) -> Quote | None:
    """The quote on whose sides stops and brackets belong; a stale one says nothing about that."""
    return None if view.stale else view.quote


def no_trade_reason(view: MarketView, side: Side) -> str | None:
    """Why an order of this side cannot trade now, or None (trading.md, "No quote, stale quote or closed market")."""
    symbol = view.instrument.symbol
    if not view.is_open:
        return f"The market of {symbol} is closed{_opening(view)}."
    if view.quote is None:
        return f"There is no quote for {symbol}."
    if view.stale:
        return f"The last quote for {symbol} is stale: it is {_age(view.now_ms - view.quote.time_ms)} old."
    return f"There is no {opposing_name(side)} for {symbol}." if view.price(side) is None else None


def _age(ms: int) -> str:
    """In the largest unit of which there are two."""
    seconds = max(ms, 0) // 1000
    for unit, length in (("days", 86_400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _opening(view: MarketView) -> str:
    start = view.session_start_ms
    if start is None or start <= view.now_ms:
        return ""
    return f"; it opens at {datetime.fromtimestamp(start // 1000, UTC):%Y-%m-%d %H:%M} UTC"


def _market_objections(order: Order, view: MarketView) -> tuple[Problem, ...]:
    """A market order trades now or never."""
    reason = no_trade_reason(view, order.side) if order.type is OrderType.MARKET else None
    if reason is None:
        return ()
    if view.is_open:
        wanted = "one" if view.quote is None or view.tradable is not None else "a new one"
        reason = f"{reason} Try again when there is {wanted}, or place an order with a price: it waits for one."
    return (Problem(None, reason),)


def _close_objections(state: AccountState, order: Order) -> tuple[Problem, ...]:
    """An order that may only reduce must have something to reduce, and no more than is held."""
    if not order.is_close:
        return ()
    held = state.positions.get(order.symbol)
    if held is None or held.side is order.side:
        side = "long" if order.side is Side.SELL else "short"
        return (Problem(None, f"There is no {side} position in {order.symbol} to close."),)
    if asks_any(order.brackets):
        return (NO_BRACKETS_TO_CLOSE,)
    if order.qty > held.qty:
        words = f"Only {text(held.qty)} of {order.symbol} are held; {text(order.qty)} cannot be closed."
        return (Problem(Field.QTY, words),)
    return ()


def _margin_objections(
    state: AccountState, marks: Marks, order: Order, wanted: Need, fills_at: Decimal | None
) -> tuple[Problem, ...]:
    """What only reduces needs no margin, so it does not matter what the account is worth."""
    if not wanted.opened:
        return ()
    if fills_at is None:
        available = free_margin(state, marks)
    else:
        available = available_for_trade(state, marks, order.symbol, order.side, order.qty, fills_at)
    short = margin_problem(state, wanted, available)
    if short is None:
        return ()
    # Else it would seem to contradict the free margin of now that a preview tells beside it.
    turns = fills_at is not None and wanted.opened != order.qty
    return (Problem(None, f"{short.removesuffix('.')} once the position is closed." if turns else short),)


def _bracket_objections(order: Order, wanted: Need) -> tuple[Problem, ...]:
    """One that fills now and opens nothing leaves nothing to protect."""
    if wanted.opened or order.is_close or not asks_any(order.brackets):
        return ()
    return (NO_BRACKETS_TO_CLOSE,)
