"""The preview of an order (TradingView's previewOrder): the check of placing itself, and its figures."""

from dataclasses import replace

from trading_api.models.broker import OrderType
from trading_api.modules.broker.domain.amounts import exact, text
from trading_api.modules.broker.domain.assessment import Assessment, assess, draft, no_trade_reason
from trading_api.modules.broker.domain.margin import free_after_trade, free_margin
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.outcome import Preview, Refusal
from trading_api.modules.broker.domain.placing import unknown_market
from trading_api.modules.broker.domain.problem import texts
from trading_api.modules.broker.domain.recorder import Recorder
from trading_api.modules.broker.domain.requests import PreviewOrder


@exact
def preview(rec: Recorder, request: PreviewOrder) -> Preview | Refusal:
    """What placing the order now would do. `errors` are exactly the reasons that placing it would be refused with."""
    view = rec.view(request.order.symbol)
    if view is None:
        return unknown_market(request.order.symbol)
    state = rec.state
    found = assess(state, rec.marks, view, draft(request.order, view, rec.next_order_id(), rec.now_ms))
    symbol = view.instrument.symbol
    shown = Preview(
        symbol,
        request.order.qty,
        state.terms.currency,
        leverage=state.leverage(symbol),
        free_margin=free_margin(state, rec.marks),
        errors=texts(found.against),
        warnings=_warnings(found, view),
    )
    return _with_figures(rec, shown, found)


def _with_figures(rec: Recorder, shown: Preview, found: Assessment) -> Preview:
    wanted, order, free = found.need, found.order, shown.free_margin
    if wanted is None or free is None or found.price is None:
        return shown
    if order.is_close and found.objections:
        after = free
    elif found.fills_at is not None:
        after = free_after_trade(rec.state, rec.marks, order.symbol, order.side, order.qty, found.fills_at)
    else:
        after = free if order.duration.is_immediate else free - wanted.reserve
    return replace(
        shown,
        price=found.price,
        cost=wanted.notional,
        fees=wanted.fees,
        margin=wanted.margin,
        free_margin_after=after,
    )


def _warnings(found: Assessment, view: MarketView) -> tuple[str, ...]:
    if found.problems:
        return ()
    order, reason = found.order, no_trade_reason(view, found.order.side)
    warnings = []
    if reason is not None and order.type is not OrderType.MARKET:
        kept = "it would be canceled at once" if order.duration.is_immediate else "it would wait"
        warnings.append(f"{reason} Until that changes the order cannot fill: {kept}.")
    elif found.fills_at is not None and order.type is not OrderType.MARKET:
        warnings.append(f"It would fill at once, at {text(found.fills_at)}.")
    elif order.duration.is_immediate and found.fills_at is None:
        warnings.append(f"{order.duration.kind.value}: nothing to trade with at once, it would be canceled.")
    if found.need is not None and order.is_live and found.need.opened and found.need.opened != order.qty:
        closed = order.qty - found.need.opened
        warnings.append(f"It would close {text(closed)} and open {text(found.need.opened)} the other way.")
    return tuple(warnings)
