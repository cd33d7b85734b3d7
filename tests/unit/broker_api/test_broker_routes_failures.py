"""What the broker's routes answer when the writer, the store or the market fails (D03, A08)."""

import logging
from pathlib import Path

import pytest
from support.broker_routes import LEVERAGE, ORDER, Bench, problem

from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.outcome import Refusal, invalid_for, not_found
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol
from trading_api.modules.broker.seldom import Seldom
from trading_api.modules.broker.service import LATER, LATER_QUERY, LATER_UNKEYED
from trading_api.modules.broker.writer.errors import CommandFailed, KeyReused, MarketUnknown, NoWriter, Unreached
from trading_api.shared.store.errors import StoreError


def test_D03_without_a_writer_a_503_says_when_to_come_back_and_logs_no_traceback(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench.writer.answer = NoWriter(f"{tmp_path}/trading.orders.db: the disk is full", retry_after_s=3)
    with caplog.at_level(logging.INFO):
        reply = bench.place(Idempotency_Key="k")
        unkeyed = bench.place()
        preview = bench.send("POST", "orders/preview", ORDER)
    assert problem(reply) == (503, LATER), "the store is nobody's business"
    assert problem(unkeyed) == (503, LATER_UNKEYED), "it has no key that it could send again"
    assert problem(preview) == (503, LATER_QUERY)
    assert reply.headers["retry-after"] == "3"
    assert "the disk is full" in caplog.text
    assert "Traceback" not in caplog.text


def test_D03_the_same_words_of_a_trouble_are_logged_once_in_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    now = 100.0
    seldom = Seldom(logging.getLogger("trading_api.test"), clock=lambda: now)
    for words in ("full", "full", "away", "full"):
        seldom.warn(words)
    now += 9.9
    seldom.warn("full")
    assert [record.getMessage() for record in caplog.records] == ["full", "away"]
    now += 0.1
    seldom.warn("full")
    assert [record.getMessage() for record in caplog.records] == ["full", "away", "full"]


def test_D03_a_trouble_of_every_request_is_logged_once(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.writer.answer = NoWriter("the disk is full")
    assert {bench.place().status_code for _ in range(5)} == {503}
    assert caplog.text.count("the disk is full") == 1


@pytest.mark.parametrize(
    ("answer", "status", "detail"),
    [
        (KeyReused("Used before."), 409, "Used before."),
        (CommandFailed("The broker could not carry it out."), 500, "The broker could not carry it out."),
        (not_found(Problem(Field.POSITION_ID, "Position X is not known.")), 404, "Position X is not known."),
        (invalid_for(Problem(None, "The market is closed.")), 400, "The market is closed."),
    ],
)
def test_D03_errors_of_commands_are_problems(
    bench: Bench, answer: Refusal | Exception, status: int, detail: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.writer.answer = answer
    assert problem(bench.place()) == (status, detail)
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("path", ["orders", "positions", "executions/AAPL"])
def test_D03_a_store_that_cannot_be_read_is_a_503_that_does_not_say_where_it_is(
    bench: Bench, path: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise StoreError("/secret/trading.orders.db: locked")

    for name in ("orders", "positions", "executions"):
        monkeypatch.setattr(bench.service._machinery.journal, name, fail)
    reply = bench.send("GET", path)
    assert (problem(reply)[0], reply.headers["retry-after"]) == (503, "1")
    assert "secret" not in reply.text
    assert "/secret/trading.orders.db: locked" in caplog.text
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (UnknownSymbol(), 404, "Symbol not found: 'X'; GET /datafeed/search lists those that there are."),
        (MarketUnavailable("No datafeed.", lasting=True), 503, "No datafeed."),
        (MarketUnavailable("The datafeed cannot be reached."), 503, "The datafeed cannot be reached; try again."),
    ],
)
def test_D03_leverage_of_a_symbol_that_nobody_knows_or_tells_of(
    bench: Bench, error: Exception, status: int, detail: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def look(_symbol: str) -> None:
        raise error

    monkeypatch.setattr(bench.service._machinery.market, "look", look)
    reply = bench.send("GET", "leverage/info?symbol=X&orderType=2&side=1")
    assert problem(reply) == (status, detail)
    if status == 404:
        assert reply.json()["errors"] == [{"location": "query.symbol", "message": detail}]


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "orders", ORDER),
        ("POST", "orders/preview", ORDER),
        ("PUT", "orders/1", ORDER),
        ("DELETE", "positions/AAPL", b""),
        ("PUT", "leverage/set", LEVERAGE),
        ("POST", "leverage/preview", LEVERAGE),
    ],
)
def test_D03_a_market_that_nobody_tells_of_is_a_503_for_every_command(
    bench: Bench, method: str, path: str, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    bench.writer.answer = MarketUnknown("The datafeed cannot be reached.")
    reply = bench.send(method, path, content)
    assert problem(reply) == (503, "The datafeed cannot be reached.")
    assert reply.headers["retry-after"] == "1"
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PATCH", "orders", "GET, POST"), ("GET", "orders/7", "DELETE, PUT"), ("PUT", "account", "GET")],
)
def test_A08_a_405_names_every_method_of_the_path(bench: Bench, method: str, path: str, allowed: str) -> None:
    reply = bench.send(method, path)
    assert problem(reply)[0] == 405
    assert reply.headers["allow"] == allowed


def test_D03_a_writer_on_another_bus_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.writer.answer = Unreached("Orders are carried out by a process that the bus does not reach.")
    reply = bench.place()
    assert problem(reply) == (503, "Orders are carried out by a process that the bus does not reach.")
    assert reply.headers["retry-after"] == "1"
    assert "carried out by a process" in caplog.text
