"""What trading.md says of the broker, played over HTTP to the cent. Each scenario takes the URL of a backend.

Its datafeed is of kind manual, its instruments are those of `broker_market`, its debug routes are on, and its accounts
have the default terms. Nobody else trades meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from typing import Any

import httpx
import pytest
from support.broker_market import CLOSED
from support.broker_trader import BUY, LIMIT, MARKET, SELL, STOP, STOP_LIMIT, Json, Trader, order, rows
from support.waiting import wait_until

from trading_api.clients import ApiError
from trading_api.clients import broker_v1_models as models

D = Decimal
WORKING = models.OrderStatus.WORKING.value
FIRST = D(100_000)


def whole_session(url: str) -> None:
    """Preview, place, modify, fill, bracket, close."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        told = rows(trader.client.preview_order(order(BUY, 10)))
        assert (told["Cost"], told["Fees"], told["Margin"]) == ("1,001.00 USD", "0.00 USD", "100.10 USD")
        placed = trader.place(BUY, 10, type=LIMIT, limitPrice="99.50", takeProfit="105", stopLoss="95")
        assert trader.status(placed) == "WORKING"
        assert {each.parentType for each in trader.brackets(placed).values()} == {models.ParentType.ORDER}
        trader.client.modify_order(
            order_id=placed, body=changed(trader, placed, qty="12", limitPrice="99.80", takeProfit="106")
        )
        trader.push("ALFA", "99.70", "99.80")
        assert trader.wait_status(placed, "FILLED").avgPrice == D("99.80"), "a resting limit fills at its limit"
        assert trader.position() == ("BUY", D(12), D("99.80"))
        protection = trader.brackets("ALFA")
        assert {name: (each.qty, each.limitPrice or each.stopPrice) for name, each in protection.items()} == {
            "take profit": (D(12), D(106)),
            "stop": (D(12), D(95)),
        }
        assert {each.parentType for each in protection.values()} == {models.ParentType.POSITION}
        trader.client.close_position(position_id="ALFA")
        assert trader.position() is None
        assert {trader.status(each.id) for each in protection.values()} == {"CANCELED"}
        assert trader.balance() == FIRST - D("1.20"), "12 * (99.70 - 99.80)"


def netting(url: str) -> None:
    """Average price kept on reducing, reset on reversal; realised profit to the cent; longs at bid, shorts at ask."""
    with _trader(url) as trader:
        steps = [
            ("100.00", "100.10", BUY, 10, ("BUY", D(10), D("100.10")), FIRST),
            ("102.00", "102.10", BUY, 30, ("BUY", D(40), D("101.60")), FIRST),
            ("103.00", "103.10", SELL, 20, ("BUY", D(20), D("101.60")), FIRST + 28),
            ("104.00", "104.10", SELL, 50, ("SELL", D(30), D("104.00")), FIRST + 76),
        ]
        for bid, ask, side, qty, held, balance in steps:
            trader.quote("ALFA", bid, ask)
            trader.place(side, qty)
            assert (trader.position(), trader.balance()) == (held, balance)
        worth = trader.equity()
        assert (worth["unrealizedPL"], worth["equity"], worth["realizedPL"]) == (-3, 100_073, 76)
        trader.quote("ALFA", "101.00", "101.20")
        trader.place(BUY, 30)
        assert (trader.position(), trader.balance()) == (None, FIRST + 160)


def limits_and_stops(url: str) -> None:
    """A marketable limit at the opposing quote, a resting one at its limit; a gap fills a stop at the gapped quote."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        trader.place(BUY, 1, type=LIMIT, limitPrice="100.50")
        trader.place(SELL, 1, type=LIMIT, limitPrice="99")
        resting = trader.place(BUY, 1, type=LIMIT, limitPrice="99")
        trader.push("ALFA", "98.00", "98.50")
        trader.wait_status(resting, "FILLED")
        rising = trader.place(BUY, 1, type=STOP, stopPrice="101")
        late = trader.place(BUY, 1, type=STOP_LIMIT, stopPrice="101", limitPrice="102")
        trader.push("ALFA", "103.00", "103.20")
        trader.wait_status(rising, "FILLED")
        assert trader.status(late) == "WORKING", "its stop is hit, and its limit is not worth filling at 103.20"
        trader.push("ALFA", "101.50", "101.90")
        trader.wait_status(late, "FILLED")
        falling = trader.place(SELL, 3, type=STOP, stopPrice="95")
        trader.push("ALFA", "90.00", "90.10")
        trader.wait_status(falling, "FILLED")
        assert trader.fills() == [
            ("BUY", "1", "100.1"),
            ("SELL", "1", "100"),
            ("BUY", "1", "99"),
            ("BUY", "1", "103.2"),
            ("BUY", "1", "102"),
            ("SELL", "3", "90"),
        ]
        assert trader.balance() == FIRST - D("0.10") - D("34.20"), "3 * 90 - (99 + 103.20 + 102)"


def brackets(url: str) -> None:
    """One cancels the other; they shrink with the position; they go with their parent; the stop takes the gap."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        trader.place(BUY, 10, takeProfit="110", stopLoss="95")
        trader.client.close_position(position_id="ALFA", amount=D(4))
        both = trader.brackets("ALFA")
        assert {each.qty for each in both.values()} == {6}
        trader.push("ALFA", "111.00", "111.10")
        assert trader.wait_status(both["take profit"].id, "FILLED").avgPrice == 110
        assert (trader.status(both["stop"].id), trader.position()) == ("CANCELED", None)
        assert trader.balance() == FIRST - D("0.40") + D("59.40")
        trader.quote("ALFA", "100.00", "100.10")
        trader.place(BUY, 10, stopLoss="95")
        fields = {"note": "mine"}
        edit = models.EditBracketsRequest(
            brackets=models.Brackets(takeProfit=D(120), stopLoss=D(96)), customFields=fields
        )
        trader.client.edit_position_brackets(position_id="ALFA", body=edit)
        both = {name: each for name, each in trader.brackets("ALFA").items() if trader.status(each.id) == "WORKING"}
        assert (both["stop"].stopPrice, both["take profit"].limitPrice) == (D(96), D(120))
        listed = trader.send("GET", "orders").json()
        assert [each.get("customFields") for each in listed if each["status"] == WORKING] == [fields] * 2
        trader.push("ALFA", "80.00", "80.10")
        assert trader.wait_status(both["stop"].id, "FILLED").avgPrice == 80
        assert trader.status(both["take profit"].id) == "CANCELED"
        trader.quote("ALFA", "100.00", "100.10")
        waiting = trader.place(BUY, 1, type=LIMIT, limitPrice="90", takeProfit="95", stopLoss="85")
        parked = trader.brackets(waiting)
        assert {trader.status(each.id) for each in parked.values()} == {"INACTIVE"}
        trader.client.cancel_order(order_id=waiting)
        assert {trader.status(each.id) for each in parked.values()} == {"CANCELED"}
        assert trader.position() is None


def moved_brackets(url: str) -> None:
    """A bracket is moved like an order, by sending it back whole; its entry's brackets go when they are left out."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        trader.place(BUY, 10, takeProfit="110", stopLoss="95")
        stop = trader.brackets("ALFA")["stop"].id
        trader.client.modify_order(order_id=stop, body=changed(trader, stop, stopPrice="96"))
        assert trader.order(stop).stopPrice == 96
        assert "stop" in _refused(
            partial(trader.client.modify_order, changed(trader, stop, stopPrice="101"), order_id=stop)
        )
        edit = models.EditBracketsRequest(
            brackets=models.Brackets(trailingStopPips=D(500), stopType=models.StopType.TRAILING_STOP)
        )
        trader.client.edit_position_brackets(position_id="ALFA", body=edit)
        (trail,) = (each for each in trader.client.get_orders() if each.trailingStopPips)
        trader.client.modify_order(order_id=trail.id, body=changed(trader, trail.id, trailingStopPips="300"))
        trader.quote("ALFA", "102.00", "102.10")
        assert (trader.order(trail.id).trailingStopPips, trader.order(trail.id).stopPrice) == (D(300), D(99))
        waiting = trader.place(BUY, 1, type=LIMIT, limitPrice="90", takeProfit="95", stopLoss="85")
        parked = trader.brackets(waiting)
        terms = {**changed(trader, waiting).model_dump(exclude_none=True), "stopLoss": None, "takeProfit": D(96)}
        trader.client.modify_order(order_id=waiting, body=models.ChangedOrder(**terms))
        assert trader.status(parked["stop"].id) == "CANCELED"
        assert trader.brackets(waiting)["take profit"].limitPrice == 96
        assert (trader.order(waiting).stopLoss, trader.order(waiting).takeProfit) == (None, D(96))


def trailing(url: str) -> None:
    """A trailing stop follows the bid by pips, and only up."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        trader.place(BUY, 10, trailingStopPips="500", stopType=models.StopType.TRAILING_STOP)
        stop = trader.brackets("ALFA")["stop"].id
        trader.quote("ALFA", "104.00", "104.10")
        assert trader.order(stop).stopPrice == 99
        trader.quote("ALFA", "101.00", "101.10")
        assert trader.order(stop).stopPrice == 99
        trader.push("ALFA", "98.50", "98.60")
        assert trader.wait_status(stop, "FILLED").avgPrice == D("98.50")
        assert trader.balance() == FIRST - 16


def margin(url: str) -> None:
    """Notional by leverage must fit; a refusal is 400 and a stored Rejected order; reducing is exempt; leverage."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.00")
        reason = _refused(lambda: trader.place(BUY, "10000.01"))
        (rejected,) = trader.orders().values()
        assert (rejected.status, rejected.message and rejected.message.text) == (models.OrderStatus.REJECTED, reason)
        assert "margin" in reason.lower()
        assert reason in trader.client.preview_order(order(BUY, "10000.01")).errors
        trader.place(BUY, 5000, type=LIMIT, limitPrice="99")
        assert "margin" in _refused(lambda: trader.place(BUY, "5050.01", type=LIMIT, limitPrice="100")).lower()
        trader.reset()
        trader.place(BUY, 10000)
        assert "margin" in _refused(lambda: trader.place(BUY, "0.01")).lower()
        assert _refused(lambda: trader.client.set_leverage(_leverage("5")))
        assert trader.client.preview_leverage(_leverage("5")).errors
        assert trader.client.set_leverage(_leverage("20")).leverage == 20
        info = trader.client.leverage_info(symbol="ALFA", order_type=MARKET, side=BUY)
        assert [info.leverage, info.min, info.max, info.step] == [D(20), D(1), D(100), D(1)]
        trader.place(BUY, 10000)
        first = trader.place(SELL, 20000, type=LIMIT, limitPrice="100.50")
        assert "margin" in _refused(lambda: trader.place(SELL, "0.01", type=LIMIT, limitPrice="100.50")).lower()
        trader.client.cancel_order(order_id=first)
        trader.place(SELL, 20000)
        for wrong in ("0.5", "101", "2.5"):
            assert _refused(partial(trader.client.set_leverage, _leverage(wrong)))
        assert trader.balance() == FIRST


def modifying(url: str) -> None:
    """Quantity above filled goes on, equal ends as Filled, below is refused; a partly filled order keeps its fill."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        first, second = (trader.place(BUY, 10, type=LIMIT, limitPrice="90") for _ in range(2))
        for each in (first, second):
            _execute(trader, each, 4)
        assert (trader.status(first), trader.order(first).filledQty) == ("WORKING", D(4))
        assert _refused(lambda: trader.client.modify_order(order_id=first, body=changed(trader, first, qty="3")))
        trader.client.modify_order(order_id=first, body=changed(trader, first, qty="11", limitPrice="91"))
        assert (trader.order(first).qty, trader.order(first).limitPrice) == (D(11), D(91))
        trader.client.modify_order(order_id=first, body=changed(trader, first, qty="4"))
        assert trader.status(first) == "FILLED"
        trader.client.cancel_order(order_id=second)
        assert (trader.status(second), trader.order(second).filledQty) == ("CANCELED", D(4))
        for final in (first, second):
            assert "already" in _refused(partial(trader.client.cancel_order, order_id=final))
        assert "Filled" in _refused(
            lambda: trader.client.modify_order(order_id=first, body=changed(trader, first, qty="5"))
        )
        assert trader.position() == ("BUY", D(8), D(90))
        third = trader.place(BUY, 1, type=LIMIT, limitPrice="90")
        changes: list[dict[str, Any]] = [{"symbol": "BETA"}, {"side": SELL}, {"type": MARKET}]
        for change in changes:
            whole = changed(trader, third, **change)
            assert _refused(partial(trader.client.modify_order, whole, order_id=third))


def durations(url: str) -> None:
    """Immediate or cancel, fill or kill, good till a date, and those that there are not."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        for kind in ("IOC", "fok"):
            placed = trader.place(BUY, 1, type=LIMIT, limitPrice="99", duration=models.OrderDuration(type=kind))
            assert trader.status(placed) == "CANCELED"
            filled = trader.place(BUY, 1, type=LIMIT, limitPrice="101", duration=models.OrderDuration(type=kind))
            assert trader.status(filled) == "FILLED"
        soon = models.OrderDuration(type="GTT", datetime=int(time.time() * 1000) + 1500)
        expiring = trader.place(BUY, 1, type=LIMIT, limitPrice="99", duration=soon)
        day = trader.place(BUY, 1, type=LIMIT, limitPrice="99", duration=models.OrderDuration(type="DAY"))
        assert (trader.status(expiring), trader.status(day)) == ("WORKING", "WORKING")
        for wrong in ({"type": "GTD"}, {"type": "GTD", "datetime": 1}, {"type": "WEEK"}):
            duration = models.OrderDuration.model_validate(wrong)
            assert _refused(partial(trader.place, BUY, 1, type=LIMIT, limitPrice="99", duration=duration))
        trader.wait_status(expiring, "CANCELED")
        assert trader.status(day) == "WORKING"


def idempotency(url: str) -> None:
    """One key, one order, whoever sends it and how often; another body is a conflict; other spellings are not."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        body = {"symbol": "ALFA", "type": 2, "side": 1, "qty": 1}
        key = f"scenario-{time.time_ns()}"
        with ThreadPoolExecutor(20) as pool:
            replies = list(pool.map(lambda _: trader.send("POST", "orders", body, Idempotency_Key=key), range(20)))
        assert {reply.status_code for reply in replies} == {200}
        assert len({reply.text for reply in replies}) == 1
        assert trader.position() == ("BUY", D(1), D("100.10"))
        spelt = '{"qty": 1.0, "side": 1, "type": 2, "symbol": "ALFA", "limitPrice": null}'
        assert trader.send("POST", "orders", spelt, Idempotency_Key=key).text == replies[0].text
        other = trader.send("POST", "orders", {**body, "qty": 2}, Idempotency_Key=key)
        assert (other.status_code, other.headers["content-type"]) == (409, "application/problem+json")
        refused = [trader.send("POST", "orders", {**body, "qty": 0.001}, Idempotency_Key=f"{key}-2") for _ in range(2)]
        assert [reply.status_code for reply in refused] == [400, 400]
        assert refused[0].json()["detail"] == refused[1].json()["detail"]
        assert len(trader.orders()) == 1


def bad_input(url: str) -> None:
    """Every refusal names its reason, and leaves nothing behind."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        limit = {"symbol": "ALFA", "type": 1, "side": 1, "qty": 1, "limitPrice": 99}
        market = {"symbol": "ALFA", "type": 2, "side": 1, "qty": 1}
        for body, status, said in (
            ({**limit, "limitPrice": 99.005}, 400, "limitPrice 99.005 is not on the tick of 0.01; use 99 or 99.01"),
            ({**market, "qty": 1.001}, 400, "qty 1.001 is not on the step of 0.01"),
            ({**market, "qty": 0}, 422, "body.qty"),
            ({**market, "qty": -1}, 422, "body.qty"),
            ({**market, "qty": 10**13}, 400, "enormous"),
            ({**market, "qty": 10**400}, 422, "out of range"),
            ('{"symbol":"ALFA","type":2,"side":1,"qty":NaN}', 422, "finite"),
            ('{"symbol":"ALFA","type":2,"side":1,"qty":1e400}', 422, "out of range"),
            ('{"symbol":"ALFA","type":2,"side":1,"qty":1e999999999999999999}', 422, "out of range"),
            ('{"symbol":"ALFA","type":2,"side":1,"qty":1.00000000000000000000001}', 400, "decimals"),
            ('{"symbol":"ALFA","type":2,"side":1,"qty":1e-999999999}', 400, "decimals"),
            ({**limit, "limitPrice": None}, 400, "limitPrice is missing"),
            ({**market, "type": 3}, 400, "stopPrice is missing"),
            ({**market, "type": 3, "stopPrice": 90}, 400, "is below 100.1, the ask"),
            ({**market, "takeProfit": 90}, 400, "takeProfit 90 is not above"),
            ({**market, "stopLoss": 110}, 400, "stopLoss 110 is not below"),
            ({**market, "stopLoss": 100.05}, 400, "is not below 100, the bid"),
            ({**market, "stopLoss": 90, "trailingStopPips": 5}, 400, "only one"),
            ({**market, "symbol": "NOSUCH"}, 400, "NOSUCH"),
            ({**market, "stopless": 90}, 422, "stopless"),
            ({**limit, "limitPrice": 99.005, "qty": 0.001}, 400, "qty 0.001"),
        ):
            _check_refusal(trader.send("POST", "orders", body), status, said)
        assert trader.orders() == {}, "what is not well formed is not stored"
        _check_refusal(trader.send("DELETE", "orders/999999"), 400, "not known")
        _check_refusal(trader.send("DELETE", "positions/ALFA"), 404, "ALFA")
        _check_refusal(trader.send("DELETE", "positions/ALFA?amount=NaN"), 422, "amount")
        trader.place(BUY, 2)
        _check_refusal(trader.send("DELETE", "positions/ALFA?amount=1e-999999999"), 400, "decimals")
        tiny = '{"symbol":"ALFA","orderType":2,"side":1,"leverage":1e-999999999}'
        _check_refusal(trader.send("PUT", "leverage/set", tiny), 400, "leverage")
        _check_refusal(trader.send("DELETE", "positions/ALFA?amount=3"), 400, "2")
        _check_refusal(trader.send("PUT", "positions/ALFA/brackets", {"brackets": {"stopLoss": 101}}), 400, "stopLoss")
        _check_refusal(trader.send("PUT", "positions/BETA/brackets", {"brackets": {}}), 404, "BETA")
        _check_refusal(trader.send("GET", "executions/NOSUCH"), 404, "Symbol not found")
        _check_refusal(trader.send("GET", "leverage/info?symbol=NOSUCH&orderType=2&side=1"), 404, "Symbol not found")
        assert trader.position() == ("BUY", D(2), D("100.10"))


def no_market(url: str) -> None:
    """No quote, a stale quote, a closed market: a market order is refused, and stored as Rejected; a limit waits."""
    with _trader(url) as trader:
        trader.push("OLDQ", "5.00", "5.10", time=int(time.time() * 1000) - 3_600_000)
        trader.push(CLOSED, "5.00", "5.10")
        for symbol, word in (("MUTE", "no quote"), ("OLDQ", "stale"), (CLOSED, "closed; it opens at 20")):
            reason = _refused(partial(trader.place, BUY, 1, symbol))
            assert word in reason.lower()
            waiting = trader.place(BUY, 1, symbol, type=LIMIT, limitPrice="4")
            assert trader.status(waiting) == "WORKING"
        rejected = [each for each in trader.orders().values() if each.status is models.OrderStatus.REJECTED]
        assert len(rejected) == 3


def streams(url: str) -> None:
    """A fill tells execution, order, position in one sequence; `since` gives each missed one once; ids are lenient."""
    with _trader(url) as trader, trader.live() as live:
        trader.quote("ALFA", "100.00", "100.10")
        payload = {"accountId": "ACCOUNT-01"}
        topics = {route: live.subscribe(route, payload) for route in ("executions", "orders", "positions", "equity")}
        assert topics["orders"] == 'orders:{"accountId":"ACCOUNT-01"}', "echoed as asked"
        assert live.subscribe("orders", payload) == topics["orders"], "twice is once"
        trader.place(BUY, 10, takeProfit="110", customFields={"note": "ä", "n": 1.5})
        trader.client.close_position(position_id="ALFA")
        closed = live.update(topics["positions"], qty=0)
        assert closed["id"] == "ALFA"
        live.update(topics["equity"], balance=99_999)
        live.update(topics["orders"], status=models.OrderStatus.CANCELED)
        told = [frame for frame in live.seen if "seq" in frame]
        by_seq = sorted(told, key=lambda frame: frame["seq"])
        filled = [frame["type"].partition(".")[0] for frame in by_seq[:3]]
        assert filled == ["executions", "orders", "positions"]
        assert len({frame["seq"] for frame in told}) == len(told)
        first = by_seq[1]["payload"]["payload"]
        assert first["customFields"] == {"note": "ä", "n": 1.5}
        orders = [frame for frame in by_seq if frame["type"] == "orders.update"]
        with trader.live() as again:
            again.send({"type": "orders.subscribe", "payload": payload, "since": orders[0]["seq"]})
            missed = [again.wait(lambda frame: "seq" in frame) for _ in orders[1:]]
            assert missed == orders[1:]
            trader.place(BUY, 1)
            assert again.update(topics["orders"])["status"] == models.OrderStatus.FILLED


def races(url: str) -> None:
    """A cancel against a fill, 200 times at once: exactly one wins each, and its answer says which."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        body = {"symbol": "ALFA", "type": 1, "side": 1, "qty": 1, "limitPrice": 99}
        with ThreadPoolExecutor(16) as pool:
            placed = [
                reply.json()["orderId"] for reply in pool.map(lambda _: trader.send("POST", "orders", body), range(200))
            ]
            cancels = pool.map(lambda order_id: trader.send("DELETE", f"orders/{order_id}").status_code, placed)
            trader.push("ALFA", "98.00", "98.50")
            answers = dict(zip(placed, cancels, strict=True))
        wait_until(lambda: not _working(trader), what="every order to be final")
        final = trader.orders()
        filled = [order_id for order_id in placed if final[order_id].status is models.OrderStatus.FILLED]
        assert {order_id for order_id, status in answers.items() if status == 400} == set(filled)
        assert {answers[order_id] for order_id in placed if order_id not in filled} <= {200}
        executions = trader.client.get_executions(symbol="ALFA")
        assert sorted(each.orderId for each in executions) == sorted(filled)
        assert trader.position() == (("BUY", D(len(filled)), D(99)) if filled else None)


def debugging(url: str) -> None:
    """Reset: nothing is listed, ids and the sequence go on. Executing: all that work, or those named."""
    with _trader(url) as trader:
        trader.quote("ALFA", "100.00", "100.10")
        first = trader.place(BUY, 1)
        seq = trader.client.get_executions(symbol="ALFA")[-1].seq
        trader.reset()
        assert (trader.orders(), trader.position(), trader.fills()) == ({}, None, [])
        assert trader.balance() == FIRST
        second = trader.place(BUY, 2, type=LIMIT, limitPrice="90")
        assert int(second) > int(first)
        trader.send("POST", "debug/execute-orders").raise_for_status()
        assert trader.status(second) == "FILLED"
        assert trader.client.get_executions(symbol="ALFA")[-1].seq > seq
        _check_refusal(trader.send("POST", "debug/execute-orders", {"orders": [{"orderId": "999999"}]}), 400, "999999")
        document = trader.http.get("broker/openapi.json").json()
        assert not [path for path in document["paths"] if "debug" in path]


SCENARIOS: tuple[Callable[[str], None], ...] = (
    whole_session,
    netting,
    limits_and_stops,
    brackets,
    moved_brackets,
    trailing,
    margin,
    modifying,
    durations,
    idempotency,
    bad_input,
    no_market,
    streams,
    races,
    debugging,
)


def changed(trader: Trader, order_id: str, **terms: Any) -> models.ChangedOrder:
    """The whole order as it is listed, with other terms: what TradingView's modifyOrder sends."""
    listed = trader.order(order_id).model_dump()
    exact = {name: D(value) if isinstance(value, str) and name != "symbol" else value for name, value in terms.items()}
    return models.ChangedOrder(**{**listed, **exact})


def _working(trader: Trader) -> list[str]:
    return [each.id for each in trader.client.get_orders() if each.status is models.OrderStatus.WORKING]


def _trader(url: str) -> Trader:
    trader = Trader(url)
    trader.reset()
    return trader


def _refused(ask: Callable[[], object]) -> str:
    """The reason of a 400."""
    with pytest.raises(ApiError) as refusal:
        ask()
    assert refusal.value.status == 400, refusal.value
    problem = refusal.value.problem
    assert problem is not None
    assert problem.errors, "every reason is listed"
    return problem.detail


def _check_refusal(reply: httpx.Response, status: int, said: str) -> None:
    told: Json = reply.json()
    assert (reply.status_code, said in reply.text) == (status, True), reply.text
    assert (reply.headers["content-type"], told["status"]) == ("application/problem+json", status)


def _execute(trader: Trader, order_id: str, qty: int) -> None:
    body = {"orders": [{"orderId": order_id, "qty": qty}]}
    trader.send("POST", "debug/execute-orders", body).raise_for_status()


def _leverage(value: str) -> models.LeverageSetRequest:
    return models.LeverageSetRequest(symbol="ALFA", orderType=MARKET, side=BUY, leverage=D(value))
