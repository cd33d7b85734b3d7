"""How the broker's routes read requests and tell of errors; what is behind them is played (D01, D03)."""

import logging
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.backend_calls import call

from trading_api.app_factory import create_app
from trading_api.models.broker import OrderType, Side
from trading_api.modules.broker.domain.outcome import Preview, Refusal, invalid, not_found
from trading_api.modules.broker.domain.requests import ClosePosition, ModifyOrder, PlaceOrder, PreviewOrder, Request
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol
from trading_api.modules.broker.seldom import Seldom
from trading_api.modules.broker.service import LATER, BrokerService
from trading_api.modules.broker.writer.call import Answer
from trading_api.modules.broker.writer.errors import CommandFailed, KeyReused, MarketUnknown, NoWriter, Unreached
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.store.errors import StoreError

LEVERAGE = b'{"symbol":"AAPL","orderType":2,"side":1,"leverage":5}'
ORDER = b'{"symbol":"AAPL","type":2,"side":1,"qty":10}'


class Writer:
    """Says `answer` to every command, or raises it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer | Exception = "7"
        self.asked: list[tuple[str, Request, str, str]] = []

    async def execute(self, account_id: str, request: Request, *, command_id: str, body_hash: str) -> Answer:
        self.asked.append((account_id, request, command_id, body_hash))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Bench:
    """The broker's app, never started, with a played writer."""

    def __init__(self, folder: Path, *, debug_routes: bool = False) -> None:
        settings = Settings(
            enabled_modules=(ModuleChoice("broker"),),
            store_url=f"sqlite:///{folder}/trading.db",
            debug_routes=debug_routes,
        )
        app = create_app(settings)
        assert isinstance(app, ModularApp)
        self.app = app
        service = next(each.module.service for each in app.module_apps if each.module.name == "broker")
        assert isinstance(service, BrokerService)
        self.service = service
        self.writer = Writer()
        service._machinery.commands = self.writer  # type: ignore[assignment]

    def send(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        head = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return call(self.app, f"/api/v1/broker/{path}", method, headers=head, content=content)

    def place(self, content: bytes = ORDER, **headers: str) -> httpx.Response:
        return self.send("POST", "orders", content, **headers)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def problem(reply: httpx.Response) -> tuple[int, str]:
    assert reply.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = reply.json()
    assert told["status"] == reply.status_code
    return reply.status_code, told["detail"]


def test_D03_without_a_writer_a_503_says_when_to_come_back_and_logs_no_traceback(
    bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bench.writer.answer = NoWriter(f"{tmp_path}/trading.orders.db: the disk is full", retry_after_s=3)
    with caplog.at_level(logging.INFO):
        reply = bench.place()
    assert problem(reply) == (503, LATER), "the store is nobody's business"
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
        (not_found("Position X is not known."), 404, "Position X is not known."),
        (invalid("The market is closed."), 400, "The market is closed."),
    ],
)
def test_D03_errors_of_commands_are_problems(
    bench: Bench, answer: Refusal | Exception, status: int, detail: str, caplog: pytest.LogCaptureFixture
) -> None:
    bench.writer.answer = answer
    assert problem(bench.place()) == (status, detail)
    assert "Traceback" not in caplog.text


def test_D03_a_refusal_lists_every_reason_with_its_place(bench: Bench) -> None:
    bench.writer.answer = invalid("qty 0.5 is not on the step of 1; use 1", "Not enough margin.")
    reply = bench.place()
    assert problem(reply)[1] == "qty 0.5 is not on the step of 1; use 1; Not enough margin"
    assert reply.json()["errors"] == [
        {"location": "body.qty", "message": "qty 0.5 is not on the step of 1; use 1"},
        {"location": "body", "message": "Not enough margin."},
    ]


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
        (MarketUnavailable("No datafeed."), 503, "No datafeed."),
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
    ("method", "path", "reason", "place"),
    [
        ("DELETE", "orders/9", "Order 9 is not known.", "path.order_id"),
        ("PUT", "orders/9", "Order 9 is not known.", "path.order_id"),
        ("PUT", "orders/9", "Order 9 is Filled already.", "path.order_id"),
        ("PUT", "orders/9", "Order 9 is final already: Filled, Canceled or Rejected.", "path.order_id"),
        ("PUT", "orders/9", "Order 9 is a bracket itself; change its price.", "body"),
        ("PUT", "orders/9", "qty 3 is below what is filled, 4.", "body.qty"),
        ("DELETE", "positions/X", "Position X is not known: nothing is held of it.", "path.position_id"),
        ("DELETE", "positions/X", "The market of X is closed.", "path.position_id"),
        ("DELETE", "positions/X?amount=9", "amount 9 is above what is held of X, 2", "query.amount"),
        ("PUT", "positions/X/brackets", "Position X is not known: nothing is held of it.", "path.position_id"),
        ("POST", "orders", "Symbol not found: 'X'; GET …", "body.symbol"),
    ],
)
def test_D03_a_reason_names_the_place_that_it_is_about(
    bench: Bench, method: str, path: str, reason: str, place: str
) -> None:
    bench.writer.answer = invalid(reason)
    content = b'{"brackets":{}}' if path.endswith("brackets") else b"" if method == "DELETE" else ORDER
    reply = bench.send(method, path, content)
    assert problem(reply) == (400, reason)
    assert reply.json()["errors"] == [{"location": place, "message": reason}]


def test_D03_executions_are_told_without_the_datafeed(bench: Bench) -> None:
    reply = bench.send("GET", "executions/NASDAQ:aapl")
    assert (reply.status_code, reply.json()) == (200, [])


@pytest.mark.parametrize("written", ["0.1000000000000000055511151231257827", "1.10", "3", "1E+2"])
def test_D03_decimals_are_read_as_they_are_written(bench: Bench, written: str) -> None:
    content = ORDER.replace(b"10}", f"{written}}}".encode())
    assert bench.place(content).json() == {"orderId": "7"}
    request = bench.writer.asked[-1][1]
    assert isinstance(request, PlaceOrder)
    assert str(request.qty) == str(Decimal(written))


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (b'"qty":NaN', "body.qty"),
        (b'"qty":-Infinity', "body.qty"),
        (b'"qty":"10"', "body.qty"),
        (b'"qty":true', "body.qty"),
        (b'"qty":1e400', "body.qty"),
        (b'"qty":1e999999999999', "body.qty"),
        (b'"qty":1e99999999999999999999', "body.qty"),
        (b'"qty":-1E+99999999999999999999', "body.qty"),
        (b'"qty":1' + b"0" * 5000, "body.qty"),
        (b'"qty":10,"customFields":{"a":1e99999999999999999999}', "body.customFields"),
        (b'"qty":10,"side":true', "body.side"),
        (b'"qty":10,"stopLos":1', "body.stopLos"),
        (b'"qty":10,"customFields":{"a":NaN}', "body.customFields"),
        (rb'"qty":10,"customFields":{"a":"\ud800"}', "body.customFields"),
        (rb'"qty":10,"customFields":{"a":[{"b":"x\udfffy"}]}', "body.customFields"),
        (rb'"qty":10,"customFields":{"a":{"\ud83d":1}}', "body.customFields"),
        (rb'"qty":10,"customFields":{"\ud83d":1}', "body.customFields"),
        (rb'"qty":10,"duration":{"type":"\ud800"}', "body.duration.type"),
        (rb'"qty":10,"duration":{"type":"\u0000"}', "body.duration.type"),
        (rb'"qty":10,"symbol":"A\u0000"', "body.symbol"),
        (b'"qty":10,"type":"2"', "body.type"),
        (b'"qty":10,"side":"1"', "body.side"),
        (b'"qty":10,"stopType":"1"', "body.stopType"),
        (b'"qty":10,"duration":{"type":"GTD","datetime":"5"}', "body.duration.datetime"),
        (b'"qty":null', "body.qty"),
        (b'"qty":10,"customFields":{"a":"' + b"x" * 9000 + b'"}', "body.customFields"),
        (b'"qty":10,"customFields":{"a":' + b"[" * 40 + b"]" * 40 + b"}", "body.customFields"),
    ],
)
def test_D03_what_has_not_the_shape_of_an_order_is_refused_before_the_writer(
    bench: Bench, change: bytes, place: str
) -> None:
    reply = bench.place(ORDER.replace(b'"qty":10', change))
    assert problem(reply)[0] == 422
    assert reply.json()["errors"][0]["location"].startswith(place)
    assert bench.writer.asked == []


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("PUT", "orders/1", rb'{"symbol":"AAPL","type":2,"side":1,"qty":1,"customFields":{"a":"\ud800"}}'),
        ("PUT", "positions/AAPL/brackets", rb'{"brackets":{},"customFields":{"a":"\ud800"}}'),
        ("POST", "orders/preview", rb'{"symbol":"AAPL","type":2,"side":1,"qty":1,"customFields":{"\ud800":1}}'),
    ],
)
def test_D03_no_route_takes_half_a_character(bench: Bench, method: str, path: str, content: bytes) -> None:
    reply = bench.send(method, path, content)
    assert problem(reply)[0] == 422
    assert reply.json()["errors"][0]["location"] == "body.customFields"
    assert bench.writer.asked == []


def test_D03_custom_fields_take_every_character(bench: Bench) -> None:
    content = rb'{"a":"\u0000\ud83d\ude00\u00e4","\ud83d\ude00":1}'
    assert bench.place(ORDER[:-1] + b',"customFields":' + content + b"}").status_code == 200
    request = bench.writer.asked[-1][1]
    assert isinstance(request, PlaceOrder)
    assert request.custom_fields.encode() == content, "ASCII, which every database takes"


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("GET", "executions/A%00", b""),
        ("GET", "leverage/info?symbol=A%00&orderType=2&side=1", b""),
        ("DELETE", "orders/%00", b""),
        ("DELETE", "positions/%00", b""),
        ("PUT", "leverage/set", rb'{"symbol":"\u0000","orderType":2,"side":1,"leverage":5}'),
    ],
)
def test_D03_no_name_holds_what_a_database_refuses(bench: Bench, method: str, path: str, content: bytes) -> None:
    status, detail = problem(bench.send(method, path, content))
    assert (status, "NUL" in detail) == (422, True)
    assert bench.writer.asked == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"symbol":"AAPL","type":1,"side":1,"qty":null}', "body.qty: must be a number"),
        (ORDER[:-1] + b',"stopLos":1}', "body.stopLos: there is no such field (did you mean 'stopLoss'?"),
        (ORDER[:-1] + b',"x":1}', "body.x: there is no such field (known: symbol, type, side"),
        (b'{"symbol":\n"AAPL"', "body: is no JSON: Expecting ',' delimiter at line 2, column 7"),
        (b'{"symbol":\n"A\xff"}', "body: is no JSON: byte 0xff at line 2, column 3 is not UTF-8"),
        (b'{"a":' * 9000, "body: is no JSON that can be read: arrays or objects are nested too deeply"),
        (ORDER.replace(b"AAPL", b"A" * 81), "body.symbol: String should have at most 80 characters"),
    ],
)
def test_D03_a_wrong_body_is_told_in_words(bench: Bench, content: bytes, words: str) -> None:
    reply = bench.place(content)
    assert words in problem(reply)[1]
    assert (reply.status_code, reply.json()["errors"][0]["location"]) == (422, words.partition(":")[0])


def test_D03_the_length_of_a_name_is_told_in_characters(bench: Bench) -> None:
    reply = bench.send("GET", f"executions/{'A' * 81}")
    assert problem(reply) == (422, "path.symbol: String should have at most 80 characters")


def test_D03_a_misspelt_bracket_is_told_where_it_stands(bench: Bench) -> None:
    detail = problem(bench.send("PUT", "positions/AAPL/brackets", b'{"brackets":{"stop_loss":1}}'))[1]
    assert "body.brackets.stop_loss: there is no such field (did you mean 'stopLoss'?" in detail


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"qty": 1' + b"0" * 5000 + b"}", b"{", b"\xff"])
def test_D03_what_is_no_json_is_refused(bench: Bench, content: bytes) -> None:
    assert problem(bench.place(content))[0] == 422


def test_D03_a_key_names_the_command_and_another_request_has_another_hash(bench: Bench) -> None:
    spellings = (
        ORDER,
        b'{"qty": 10.00, "side": 1, "type": 2, "symbol": "AAPL"}',
        b'{"symbol":"AAPL","type":2,"side":1,"qty":1E+1,"limitPrice":null}',
    )
    for content in spellings:
        bench.place(content, Idempotency_Key="one")
    bench.place(ORDER.replace(b"10}", b"10.0000000000000000000001}"), Idempotency_Key="one")
    bench.send("PUT", "orders/1", ORDER, Idempotency_Key="one")
    bench.send("PUT", "orders/2", ORDER, Idempotency_Key="one")
    accounts, _, ids, hashes = zip(*bench.writer.asked, strict=True)
    assert (set(accounts), set(ids)) == ({"DEMO-ACCOUNT"}, {"key:one"})
    assert len(set(hashes[:3])) == 1
    assert len(set(hashes)) == 4
    for _ in range(2):
        bench.place()
    assert len({command_id for _, _, command_id, _ in bench.writer.asked[-2:]}) == 2, "without a key each is its own"


@pytest.mark.parametrize("key", ["", "x" * 201, "caf\u00e9", "a\tb"])
def test_D03_a_key_is_up_to_200_printable_characters(bench: Bench, key: str) -> None:
    reply = call(
        bench.app,
        "/api/v1/broker/orders",
        "POST",
        headers={"content-type": "application/json", "idempotency-key": key.encode("latin-1")},  # type: ignore[dict-item]
        content=ORDER,
    )
    assert problem(reply)[0] == 422
    assert bench.place(Idempotency_Key="x" * 200).status_code == 200


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "application/vnd.x+json"])
def test_D03_an_order_is_read_alike_however_its_type_is_written(bench: Bench, kind: str) -> None:
    reply = call(bench.app, "/api/v1/broker/orders", "POST", headers={"content-type": kind}, content=ORDER)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "application/json")
    assert reply.json() == {"orderId": "7"}
    assert bench.writer.asked[-1][1] == PlaceOrder("AAPL", OrderType.MARKET, Side.BUY, Decimal(10))


def test_D03_an_order_that_is_not_said_to_be_json_is_refused(bench: Bench) -> None:
    reply = call(bench.app, "/api/v1/broker/orders", "POST", headers={"content-type": "text/plain"}, content=ORDER)
    assert problem(reply) == (422, "body: the body is not read as JSON: send the header Content-Type: application/json")
    assert bench.writer.asked == []


def test_D03_an_order_that_is_too_large_is_refused_while_it_is_read(bench: Bench) -> None:
    parts = [b'{"symbol":"', *[b"x" * 2**18] * 5]
    reply = call(
        bench.app, "/api/v1/broker/orders", "POST", headers={"content-type": "application/json"}, content=parts
    )
    assert problem(reply)[0] == 413


def test_D03_modify_takes_the_whole_order_as_it_is_listed(bench: Bench) -> None:
    listed = (
        b'{"symbol":"AAPL","type":1,"side":1,"qty":10,"limitPrice":99.5,"takeProfit":110,"id":"7","status":6,'
        b'"filledQty":4,"avgPrice":99.5,"updateTime":1700000000000,"parentId":null,"parentType":null,"message":null,'
        b'"duration":{"type":"GTC","datetime":null},"customFields":{"a":1}}'
    )
    assert bench.send("PUT", "orders/7", listed).json() == {"success": True, "message": "7"}
    request = bench.writer.asked[-1][1]
    assert isinstance(request, ModifyOrder)
    assert (request.order_id, request.limit_price, request.custom_fields) == ("7", Decimal("99.5"), '{"a":1}')
    assert request.brackets is not None
    assert (request.brackets.take_profit, request.brackets.stop_loss) == (Decimal(110), None)
    assert problem(bench.send("PUT", "orders/8", listed))[0] == 400, "the id of another order"


def test_D03_an_amount_to_close_is_exact(bench: Bench) -> None:
    assert bench.send("DELETE", "positions/AAPL?amount=0.30000000000000000001").status_code == 200
    assert bench.writer.asked[-1][1] == ClosePosition("AAPL", Decimal("0.30000000000000000001"))
    for wrong in ("NaN", "inf", "0", "-1", "x"):
        assert problem(bench.send("DELETE", f"positions/AAPL?amount={wrong}"))[0] == 422


def test_D03_a_duration_that_there_is_none_of_is_refused_and_told_by_the_preview(bench: Bench) -> None:
    content = ORDER.replace(b"10}", b'10,"duration":{"type":"WEEK"}}')
    status, reason = problem(bench.place(content))
    assert status == 400
    assert "GTC" in reason
    assert bench.send("POST", "orders/preview", content).json()["errors"] == [reason]
    assert bench.writer.asked == []


def test_D03_a_preview_shows_amounts_as_people_write_them(bench: Bench) -> None:
    bench.writer.answer = Preview(
        "AAPL", Decimal("10.50"), "USD", price=Decimal("187.10"), cost=Decimal("1964.55"), fees=Decimal("1.969"),
        warnings=("w",), errors=("e",),
    )  # fmt: skip
    told = bench.send("POST", "orders/preview", ORDER).json()
    assert isinstance(bench.writer.asked[-1][1], PreviewOrder)
    (section,) = told["sections"]
    assert {row["title"]: row["value"] for row in section["rows"]} == {
        "Symbol": "AAPL",
        "Quantity": "10.5",
        "Price": "187.1",
        "Cost": "1,964.55 USD",
        "Fees": "1.97 USD",
    }
    assert (told["warnings"], told["errors"]) == (["w"], ["e"])
    assert told["confirmId"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("PATCH", "orders", "GET, POST"), ("GET", "orders/7", "DELETE, PUT"), ("PUT", "account", "GET")],
)
def test_A08_a_405_names_every_method_of_the_path(bench: Bench, method: str, path: str, allowed: str) -> None:
    reply = bench.send(method, path)
    assert problem(reply)[0] == 405
    assert reply.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["debug/reset", "debug/execute-orders"])
def test_D03_debug_routes_are_there_only_when_the_settings_say_so(tmp_path: Path, path: str) -> None:
    assert problem(Bench(tmp_path).send("POST", path))[0] == 404
    assert Bench(tmp_path, debug_routes=True).send("POST", path).json() == {"success": True, "message": "7"}


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "orders", ORDER),
        ("PUT", "orders/1", ORDER),
        ("DELETE", "positions/AAPL", b""),
        ("POST", "debug/reset", b""),
    ],
)
def test_D04_two_keys_in_one_request_are_refused(tmp_path: Path, method: str, path: str, content: bytes) -> None:
    bench = Bench(tmp_path, debug_routes=True)
    keys = [("idempotency-key", "one"), ("Idempotency-Key", "two")]
    headers = httpx.Headers([("content-type", "application/json"), *keys])
    reply = call(bench.app, f"/api/v1/broker/{path}", method, headers=headers, content=content)
    told = "There are 2 headers Idempotency-Key, so it is not clear which one counts; send one."
    assert problem(reply) == (400, told)
    assert reply.json()["errors"] == [{"location": "header.Idempotency-Key", "message": told}]
    assert bench.writer.asked == []


def test_D04_the_debug_routes_heed_a_key(tmp_path: Path) -> None:
    bench = Bench(tmp_path, debug_routes=True)
    one, two = b'{"orders":[{"orderId":"1"}]}', b'{"orders":[{"orderId":"2"}]}'
    for path, content in (("reset", b""), ("execute-orders", b""), ("execute-orders", one), ("execute-orders", two)):
        assert bench.send("POST", f"debug/{path}", content, Idempotency_Key="mine").status_code == 200
    _, _, ids, hashes = zip(*bench.writer.asked, strict=True)
    assert set(ids) == {"key:mine"}
    assert len(set(hashes)) == 4, "each is another request"


def test_D03_a_writer_on_another_bus_is_told(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.writer.answer = Unreached("Orders are carried out by a process that the bus does not reach.")
    reply = bench.place()
    assert problem(reply) == (503, "Orders are carried out by a process that the bus does not reach.")
    assert reply.headers["retry-after"] == "1"
    assert "carried out by a process" in caplog.text
