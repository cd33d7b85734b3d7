"""Requests that the broker's rules refuse, with the reasons that each gets over HTTP, and an account to ask them of."""

from dataclasses import dataclass

from support.broker_domain import Bed, brackets

Body = dict[str, object]
MARKET: Body = {"symbol": "AAPL", "type": 2, "side": 1, "qty": 1}
LIMIT: Body = {**MARKET, "type": 1, "limitPrice": 95}
LEVER: Body = {"symbol": "AAPL", "orderType": 2, "side": 1, "leverage": 5}


@dataclass(frozen=True)
class BadRequest:
    """`reasons`: of each, in order, the location, a colon, and the words that it begins with."""

    method: str
    path: str
    body: Body | None
    status: int
    reasons: tuple[str, ...]


def bad(route: str, body: Body | None, *reasons: str, status: int = 400) -> BadRequest:
    """`route` is method and path."""
    method, _, path = route.partition(" ")
    return BadRequest(method, path, body, status, reasons)


def crowded_bed() -> Bed:
    """An account with something to refuse of every kind: orders 1 to 11, a position, a symbol that is gone."""
    bed = Bed()
    bed.quote(50, symbol="MSFT")
    bed.quote(50, symbol="GONE")
    bed.quote(70, symbol="SHUT", is_open=False)
    bed.buy(10)
    bed.protect(take_profit=120, stop_loss=80)  # 2 the stop, 3 the take profit
    bed.buy(5, limit=90, protect=brackets(take_profit=130, pips=500))  # 4; 5 and 6 wait
    bed.cancel(bed.buy(1, limit=80))
    bed.sell(4, limit=110, is_close=True)
    bed.buy(10, limit=85)
    bed.fill("9", 4, 85)
    bed.buy(3, stop=105, limit="104")
    bed.fill("10", 1, 104)
    bed.buy(2, symbol="GONE", limit=40)
    del bed.views["GONE"]
    return bed


BAD_REQUESTS = (
    bad("POST orders", {**MARKET, "symbol": "NOPE"}, "body.symbol: Symbol not found: 'NOPE'; GET /datafeed/search"),
    bad("POST orders", {**MARKET, "qty": 0.00005}, "body.qty: qty 0.00005 is not on the"),
    bad("POST orders", {**MARKET, "limitPrice": 5}, "body.limitPrice: limitPrice 5 does not belong to"),
    bad("POST orders", {**MARKET, "type": 1}, "body.limitPrice: limitPrice is missing; a limit order"),
    bad(
        "POST orders",
        {**MARKET, "type": 4, "qty": 0.00005, "limitPrice": 5.001, "stopPrice": 50},
        "body.qty: qty 0.00005 is not on the",
        "body.limitPrice: limitPrice 5.001 is not on the",
        "body.stopPrice: stopPrice 50 is below 100.01, the",
    ),
    bad(
        "POST orders",
        {**MARKET, "side": -1, "type": 3, "stopPrice": 500},
        "body.stopPrice: stopPrice 500 is above 99.99, the",
    ),
    bad(
        "POST orders",
        {**LIMIT, "takeProfit": 90, "stopLoss": 99.001},
        "body.takeProfit: takeProfit 90 is not above 95,",
        "body.stopLoss: stopLoss 99.001 is not on the",
        "body.stopLoss: stopLoss 99.001 is not below 95,",
    ),
    bad("POST orders", {**LIMIT, "guaranteedStop": 99}, "body.guaranteedStop: guaranteedStop 99 is not below 95,"),
    bad(
        "POST orders", {**LIMIT, "trailingStopPips": 0.5}, "body.trailingStopPips: trailingStopPips 0.5 is not a whole"
    ),
    bad(
        "POST orders",
        {**LIMIT, "trailingStopPips": 1000000},
        "body.trailingStopPips: trailingStopPips 1000000 is 10000 in price,",
    ),
    bad(
        "POST orders",
        {**LIMIT, "stopLoss": 80, "trailingStopPips": 5},
        "body.stopLoss: stopLoss and trailingStopPips both protect the",
    ),
    bad(
        "POST orders",
        {**LIMIT, "stopLoss": 80, "guaranteedStop": 81, "trailingStopPips": 5},
        "body.stopLoss: stopLoss, trailingStopPips, guaranteedStop all protect the",
    ),
    bad("POST orders", {**LIMIT, "stopType": 1}, "body.stopType: stopType 1 (TRAILING_STOP) needs trailingStopPips"),
    bad(
        "POST orders",
        {**LIMIT, "duration": {"type": "WEEK"}},
        "body.duration.type: duration.type 'WEEK' is not known; use",
    ),
    bad(
        "POST orders",
        {**LIMIT, "duration": {"type": "GTD"}},
        "body.duration.datetime: duration.datetime is missing; GTD needs the",
    ),
    bad(
        "POST orders",
        {**LIMIT, "duration": {"type": "DAY", "datetime": 5}},
        "body.duration.datetime: duration.datetime 5 does not belong to",
    ),
    bad(
        "POST orders",
        {**LIMIT, "duration": {"type": "GTD", "datetime": 5}},
        "body.duration.datetime: duration.datetime 5 is past; use a",
    ),
    bad("POST orders", {**MARKET, "qty": 1000000}, "body: Not enough margin: 10,001,000.00 USD is"),
    bad("POST orders", {**MARKET, "symbol": "SHUT"}, "body: The market of SHUT is closed."),
    bad("POST orders", {**MARKET, "isClose": True}, "body: There is no short position in"),
    bad("POST orders", {**MARKET, "side": -1, "qty": 50, "isClose": True}, "body.qty: Only 15 of AAPL are held;"),
    bad(
        "POST orders", {**MARKET, "side": -1, "isClose": True, "stopLoss": 120}, "body: An order that closes a position"
    ),
    bad("POST orders", {**MARKET, "side": -1, "stopLoss": 120}, "body: An order that closes a position"),
    bad(
        "POST orders/preview",
        {**MARKET, "symbol": "NOPE"},
        "body.symbol: Symbol not found: 'NOPE'; GET /datafeed/search",
    ),
    bad("PUT orders/99", LIMIT, "path.order_id: Order 99 is not known."),
    bad("PUT orders/1", LIMIT, "path.order_id: Order 1 is Filled already."),
    bad("PUT orders/7", LIMIT, "path.order_id: Order 7 is Canceled already."),
    bad("PUT orders/4", {**LIMIT, "id": "8"}, "body.id: id '8' is not that of"),
    bad(
        "PUT orders/4",
        {**LIMIT, "duration": {"type": "WEEK"}},
        "body.duration.type: duration.type 'WEEK' is not known; use",
    ),
    bad(
        "PUT orders/4",
        {"symbol": "MSFT", "type": 2, "side": -1, "qty": 5, "isClose": True},
        "body.symbol: The symbol of order 4 cannot",
        "body.type: The type of order 4 cannot",
        "body.side: The side of order 4 cannot",
        "body.isClose: isClose of order 4 cannot change:",
    ),
    bad(
        "PUT orders/4",
        {**LIMIT, "qty": 0.00005, "limitPrice": 5.001, "takeProfit": 1},
        "body.qty: qty 0.00005 is not on the",
        "body.limitPrice: limitPrice 5.001 is not on the",
        "body.takeProfit: takeProfit 1 is not above 5.001,",
    ),
    bad(
        "PUT orders/4",
        {**LIMIT, "duration": {"type": "GTD", "datetime": 5}},
        "body.duration.datetime: duration.datetime 5 is past; use a",
    ),
    bad("PUT orders/4", {**LIMIT, "qty": 1000000}, "body: Not enough margin: 9,500,000.00 USD is"),
    bad(
        "PUT orders/8",
        {**LIMIT, "side": -1, "limitPrice": 110, "isClose": True, "qty": 400},
        "body.qty: Only 15 of AAPL are left",
    ),
    bad(
        "PUT orders/8",
        {**LIMIT, "side": -1, "limitPrice": 110, "isClose": True, "qty": 4, "stopLoss": 120},
        "body: An order that closes a position",
    ),
    bad("PUT orders/9", {**LIMIT, "qty": 3}, "body.qty: qty 3 is below what is"),
    bad(
        "PUT orders/10",
        {**LIMIT, "type": 4, "qty": 3, "stopPrice": 106, "limitPrice": 104},
        "body.stopPrice: stopPrice of order 10 cannot change",
    ),
    bad("PUT orders/11", {**LIMIT, "symbol": "GONE"}, "body.symbol: Symbol not found: 'GONE'; GET /datafeed/search"),
    bad(
        "PUT orders/3",
        {**LIMIT, "side": -1, "qty": 3, "stopPrice": 90, "limitPrice": 90},
        "body.qty: qty of order 3 follows what",
        "body.stopPrice: stopPrice does not belong to order",
    ),
    bad(
        "PUT orders/3",
        {**LIMIT, "side": -1, "qty": 15, "limitPrice": 90.001},
        "body.limitPrice: limitPrice 90.001 is not on the",
        "body.limitPrice: limitPrice 90.001 is not above 99.99,",
    ),
    bad(
        "PUT orders/2",
        {"symbol": "AAPL", "type": 3, "side": -1, "qty": 15, "stopPrice": 120},
        "body.stopPrice: stopPrice 120 is not below 99.99,",
    ),
    bad(
        "PUT orders/2",
        {**LIMIT, "type": 3, "side": -1, "qty": 15, "takeProfit": 120, "duration": {"type": "DAY"}},
        "body.duration: The duration of order 2 cannot",
        "body.limitPrice: limitPrice does not belong to order",
        "body: Order 2 is a bracket itself;",
    ),
    bad(
        "PUT orders/6",
        {**LIMIT, "type": 3, "side": -1, "qty": 5, "stopPrice": 70},
        "body.limitPrice: limitPrice does not belong to order",
        "body.stopPrice: stopPrice of order 6 follows the",
    ),
    bad(
        "PUT orders/6",
        {**MARKET, "type": 3, "side": -1, "qty": 5, "trailingStopPips": 0.5},
        "body.trailingStopPips: trailingStopPips 0.5 is not a whole",
    ),
    bad("DELETE orders/99", None, "path.order_id: Order 99 is not known."),
    bad("DELETE orders/1", None, "path.order_id: Order 1 is Filled already."),
    bad("DELETE orders/7", None, "path.order_id: Order 7 is Canceled already."),
    bad("DELETE positions/MSFT", None, "path.position_id: Position MSFT is not known: nothing", status=404),
    bad("DELETE positions/NOPE", None, "path.position_id: Position NOPE is not known: nothing", status=404),
    bad("DELETE positions/AAPL?amount=99", None, "query.amount: amount 99 is above what is"),
    bad("DELETE positions/AAPL?amount=0.00005", None, "query.amount: amount 0.00005 is not on the"),
    bad(
        "PUT positions/MSFT/brackets",
        {"brackets": {}},
        "path.position_id: Position MSFT is not known: nothing",
        status=404,
    ),
    bad(
        "PUT positions/AAPL/brackets",
        {"brackets": {"takeProfit": 90, "stopLoss": 110.001, "stopType": 1}},
        "body.brackets.stopType: stopType 1 (TRAILING_STOP) needs trailingStopPips, not",
        "body.brackets.takeProfit: takeProfit 90 is not above 99.99,",
        "body.brackets.stopLoss: stopLoss 110.001 is not on the",
        "body.brackets.stopLoss: stopLoss 110.001 is not below 99.99,",
    ),
    bad(
        "PUT positions/AAPL/brackets",
        {"brackets": {"trailingStopPips": 0.5, "guaranteedStop": 90}},
        "body.brackets.trailingStopPips: trailingStopPips and guaranteedStop both protect the",
        "body.brackets.trailingStopPips: trailingStopPips 0.5 is not a whole",
    ),
    bad("PUT leverage/set", {**LEVER, "symbol": "NOPE"}, "body.symbol: Symbol not found: 'NOPE'; GET /datafeed/search"),
    bad("PUT leverage/set", {**LEVER, "leverage": 101}, "body.leverage: leverage 101 is out of range;"),
    bad("PUT leverage/set", {**LEVER, "leverage": 1.5}, "body.leverage: leverage 1.5 is not on the"),
    bad(
        "POST leverage/preview",
        {**LEVER, "symbol": "NOPE"},
        "body.symbol: Symbol not found: 'NOPE'; GET /datafeed/search",
    ),
)
