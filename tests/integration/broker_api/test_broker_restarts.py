"""D03, D04: what was acknowledged is there after a restart and after a kill; accounts belong to users."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.broker_guide import examples, outputs
from support.broker_server import broker_server
from support.broker_trader import BUY, LIMIT, SELL, Trader, order
from support.user_tokens import SECRET, bearer

from trading_api.clients import ApiError, NotFound
from trading_api.clients import broker_v1_models as models

pytestmark = pytest.mark.integration
TERMS = {"TRADING_BROKER_COMMISSION_RATE": "0.001", "TRADING_BROKER_COMMISSION_PER_SHARE": "0.005"}
USERS = {
    "TRADING_USERS_MODE": "jwt",
    "TRADING_USERS_ALGORITHM": "HS256",
    "TRADING_USERS_KEY_ENV": "BROKER_TEST_SECRET",
    "BROKER_TEST_SECRET": SECRET,
}
BODY = {"symbol": "ALFA", "type": 1, "side": 1, "qty": 1, "limitPrice": 50}


def everything(trader: Trader) -> tuple[object, ...]:
    """All that REST and the stream tell of an account."""
    return trader.orders(), trader.client.get_positions(), trader.client.get_executions(symbol="ALFA"), trader.equity()


def send_keyed(trader: Trader, number: int) -> str:
    text: str = trader.send("POST", "orders", BODY, Idempotency_Key=f"burst-{number}").raise_for_status().text
    return text


def test_D03_restarts_lose_and_repeat_nothing_and_users_see_only_their_own(tmp_path: Path) -> None:
    with broker_server(tmp_path, **TERMS) as server, Trader(server.url) as trader:
        show_commissions(server.url)
        trader.quote("ALFA", "100.00", "100.10")
        trader.place(BUY, 10, takeProfit="110", stopLoss="95", customFields={"note": "kept"})
        trader.place(BUY, 3, type=LIMIT, limitPrice="90", takeProfit="99")
        first = send_keyed(trader, 0)
        before = everything(trader)
        assert server.stop() == 0
    with broker_server(tmp_path, **TERMS) as server, Trader(server.url) as trader:
        assert trader.equity() == before[-1], "the first that is told is right: by the quote, not by the average price"
        trader.quote("ALFA", "100.00", "100.10")
        assert everything(trader) == before
        assert send_keyed(trader, 0) == first, "the same answer, and no second order"
        with ThreadPoolExecutor(8) as pool:
            burst = list(pool.map(lambda number: send_keyed(trader, number), range(40)))
        server.process.kill()
        server.process.wait(60)
        assert "Traceback" not in server.log
    with broker_server(tmp_path, **TERMS, **USERS) as server:
        check_users(server.url)
        assert "Traceback" not in server.log
    with broker_server(tmp_path, **TERMS) as server, Trader(server.url) as trader:
        assert [send_keyed(trader, number) for number in range(40)] == burst
        listed = [each for each in trader.orders().values() if each.limitPrice == 50]
        assert len(listed) == len(set(burst)) == 40


def show_commissions(url: str) -> None:
    """The guide's example of a broker that charges."""
    chosen = [example for example in examples() if example.shown and example.heading == "Commissions"]
    assert len(chosen) == 1
    assert outputs(url, chosen) == [chosen[0].shown]


def check_users(url: str) -> None:
    """Nobody without a token; nobody sees or touches another's."""
    with Trader(url, bearer("alice")) as alice, Trader(url, bearer("bob")) as bob, Trader(url) as nobody:
        assert nobody.send("GET", "orders").status_code == 401
        assert nobody.send("GET", "health").status_code == 200
        ids = {trader.client.get_account_info().id for trader in (alice, bob)}
        assert len(ids) == 2
        assert "DEMO-ACCOUNT" not in ids
        alice.quote("ALFA", "100.00", "100.10")
        assert alice.orders() == {}, "the default user's are hers"
        with bob.live() as live:
            # Bob asks for Alice's account, and hears of his own.
            topic = live.subscribe("orders", {"accountId": alice.client.get_account_info().id})
            held = alice.place(BUY, 5, type=LIMIT, limitPrice="99")
            assert (bob.orders(), bob.position()) == ({}, None)
            with pytest.raises(ApiError, match="not known"):
                bob.client.cancel_order(order_id=held)
            with pytest.raises(ApiError, match="not known"):
                bob.client.modify_order(models.ChangedOrder(**whole(alice, held)), order_id=held)
            alice.place(BUY, 5)
            with pytest.raises(NotFound):
                bob.client.close_position(position_id="ALFA")
            bob.place(SELL, 2)
            assert live.update(topic)["side"] == SELL
        key = {"idempotency_key": "the same"}
        assert alice.client.place_order(order(BUY, 1), **key).orderId == "3"
        assert bob.client.place_order(order(SELL, 1), **key).orderId == "2", "keys are each user's own"
        alice.client.cancel_order(order_id=held)


def whole(trader: Trader, order_id: str) -> dict[str, Any]:
    return trader.order(order_id).model_dump()
