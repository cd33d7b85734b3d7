"""How the broker's routes read keys, paths and queries, and what they ask the writer for (D03, D04)."""

import asyncio
import threading
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from support.backend_calls import call
from support.broker_domain import Bed
from support.broker_routes import ORDER, Bench, problem

from trading_api.models.broker import OperationResult
from trading_api.modules.broker.api.listing import answer_list
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.events import ExecutionEvent
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.outcome import Preview
from trading_api.modules.broker.domain.requests import ClosePosition, ModifyOrder, PreviewOrder
from trading_api.modules.broker.market.port import UnknownSymbol


def test_D03_executions_are_told_without_the_datafeed(bench: Bench) -> None:
    reply = bench.send("GET", "executions/NASDAQ:aapl")
    assert (reply.status_code, reply.json()) == (200, [])


def test_D03_executions_are_asked_for_in_pages_of_bounded_size(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[tuple[object, ...]]()

    def executions(*words: object) -> list[ExecutionEvent]:
        asked.append(words)
        return []

    monkeypatch.setattr(bench.service._machinery.journal, "executions", executions)
    for query in ("", "?limit=1", "?limit=10000&before_seq=9223372036854775807"):
        assert bench.send("GET", f"executions/AAPL{query}").status_code == 200
    assert [words[2:] for words in asked] == [(10_000, None), (1, None), (10_000, 2**63 - 1)]


@pytest.mark.parametrize("query", ["limit=0", "limit=10001", "limit=x", "before_seq=-1", f"before_seq={2**63}"])
def test_D03_a_page_of_executions_that_cannot_be_is_refused(bench: Bench, query: str) -> None:
    status, detail = problem(bench.send("GET", f"executions/AAPL?{query}"))
    assert (status, detail.partition(":")[0]) == (422, f"query.{query.partition('=')[0]}")


def test_D03_a_symbol_that_is_gone_has_an_end_and_one_that_never_was_is_not_found(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody_knows(_symbol: str) -> MarketView:
        raise UnknownSymbol

    monkeypatch.setattr(bench.service._machinery.market, "look", nobody_knows)
    assert bench.send("GET", "executions/GONE").status_code == 404
    reply = bench.send("GET", "executions/GONE?before_seq=7")
    assert (reply.status_code, reply.json()) == (200, [])


def test_D03_long_lists_are_written_beside_the_loop_that_serves_everybody_else() -> None:
    writers = set()

    def wire(number: int) -> OperationResult:
        writers.add(threading.get_ident())
        return OperationResult(success=True, message=str(number))

    answer = asyncio.run(answer_list([1, 2], wire))
    assert answer.body == b'[{"success":true,"message":"1"},{"success":true,"message":"2"}]'
    assert writers
    assert threading.get_ident() not in writers
    assert asyncio.run(answer_list([], wire)).body == b"[]"


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
    ("exact", "margin", "free"),
    [
        ("99308.655", "99,308.66 USD", "99,308.65 USD"),
        ("-0.0031", "0.00 USD", "-0.01 USD"),
        ("-0", "0.00 USD", "0.00 USD"),
        ("0.0099", "0.01 USD", "0.00 USD"),
        ("-1234.561", "-1,234.56 USD", "-1,234.57 USD"),
    ],
)
def test_D03_a_preview_rounds_margin_as_the_refusal_beside_it(bench: Bench, exact: str, margin: str, free: str) -> None:
    amount = Decimal(exact)
    bench.writer.answer = Preview(
        "AAPL", Decimal(1), "USD", margin=amount, free_margin=amount, free_margin_after=amount
    )
    rows = bench.send("POST", "orders/preview", ORDER).json()["sections"][1]["rows"]
    assert [row["value"] for row in rows] == [margin, free, free]


def test_D03_an_order_that_a_cent_is_short_of_shows_it_in_its_preview(bench: Bench) -> None:
    bed = Bed(AccountTerms(commission_rate=Decimal("0.001"), commission_per_share=Decimal("0.005")))
    bed.quote("100")
    bench.decide_by(bed)
    told = bench.ask("POST", "orders/preview", {"symbol": "AAPL", "type": 2, "side": 1, "qty": 9896.0911}).json()
    rows = {row["title"]: row["value"] for section in told["sections"] for row in section["rows"]}
    assert (rows["Free margin"], rows["Free margin after"]) == ("100,000.00 USD", "-0.01 USD")
    (reason,) = told["errors"]
    assert f"({rows['Margin'].split()[0]} margin" in reason
    assert reason.endswith(f"{rows['Free margin'].split()[0]} is free.")


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
