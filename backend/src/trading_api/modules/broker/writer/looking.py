"""Which symbol's market a request must know, and having it known."""

from __future__ import annotations

from trading_api.modules.broker.domain import requests as asked
from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.market.port import Market, MarketUnavailable, UnknownSymbol, not_found_text
from trading_api.modules.broker.writer.call import AskEquity, Call
from trading_api.modules.broker.writer.errors import MarketUnknown
from trading_api.modules.broker.writer.ports import DeskPort


def symbol_to_look_at(market: Market, desk: DeskPort, call: Call) -> str | None:
    """The symbol of the request, if what is known of its market now is not enough to decide on."""
    symbol = _symbol_of(desk, call)
    if symbol is None:
        return None
    view = market.view(symbol)
    return symbol if view is None or view.quote is None or view.stale else None


async def look(market: Market, symbol: str, request: asked.Request | AskEquity) -> Refusal | None:
    """Have the market known. A refusal if nobody trades such a symbol. Raises MarketUnknown when nobody tells."""
    try:
        await market.look(symbol)
    except UnknownSymbol:
        # A position of an unknown symbol is not found, like every other that is not held: the desk says so.
        names_position = isinstance(request, asked.ClosePosition | asked.EditBrackets)
        return None if names_position else invalid_for(Problem(Field.SYMBOL, not_found_text(symbol)))
    except MarketUnavailable as unavailable:
        if market.view(symbol) is None:
            raise MarketUnknown(unavailable.advice) from unavailable
    return None


def _symbol_of(desk: DeskPort, call: Call) -> str | None:
    """None: it says none, or needs no market (to cancel)."""
    match call.request:
        case asked.PlaceOrder(symbol=symbol) | asked.SetLeverage(symbol=symbol) | asked.PreviewLeverage(symbol=symbol):
            return symbol
        case asked.PreviewOrder(order=order):
            return order.symbol
        case asked.ClosePosition(position_id=symbol) | asked.EditBrackets(position_id=symbol):
            return symbol
        case asked.ModifyOrder(order_id=order_id):
            live = desk.order(call.account_id, order_id) if desk.has(call.account_id) else None
            return live.symbol if live else None
    return None
