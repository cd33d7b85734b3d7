"""A misspelt or repeated query parameter, and a number that only Python reads, change nothing (D03)."""

import pytest
from support.broker_routes import LEVERAGE, ORDER, Bench, problem

from trading_api.modules.broker.domain.requests import ClosePosition

TWICE = "is given twice, so it is not clear which one counts; send it once"
NUMBER = "must be a number in the digits 0 to 9, such as 0.5 or 12"
WHOLE = "must be a whole number in the digits 0 to 9, such as 100"
BRACKETS = b'{"brackets":{}}'


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("amout", "there is no such parameter (did you mean 'amount'? known: amount)"),
        ("Amount", "there is no such parameter (did you mean 'amount'? known: amount)"),
        ("x", "there is no such parameter (known: amount)"),
        ("", "there is no such parameter (known: amount)"),
    ],
)
def test_D03_a_misspelt_amount_closes_nothing(bench: Bench, name: str, words: str) -> None:
    reply = bench.send("DELETE", f"positions/AAPL?{name}=1")
    assert problem(reply) == (422, f"query.{name}: {words}")
    assert reply.json()["errors"] == [{"location": f"query.{name}", "message": words}]
    assert bench.writer.asked == []


@pytest.mark.parametrize(
    ("method", "path", "content"),
    [
        ("POST", "orders", ORDER),
        ("POST", "orders/preview", ORDER),
        ("PUT", "orders/1", ORDER),
        ("DELETE", "orders/1", b""),
        ("DELETE", "positions/AAPL", b""),
        ("PUT", "positions/AAPL/brackets", BRACKETS),
        ("PUT", "leverage/set", LEVERAGE),
        ("POST", "leverage/preview", LEVERAGE),
        ("POST", "debug/reset", b""),
        ("POST", "debug/execute-orders", b""),
    ],
)
def test_D03_whatever_changes_something_or_previews_it_knows_its_parameters(
    debug_bench: Bench, method: str, path: str, content: bytes
) -> None:
    reply = debug_bench.send(method, f"{path}?qty=5&_=1", content)
    assert problem(reply)[0] == 422
    assert [error["location"] for error in reply.json()["errors"]] == ["query.qty", "query._"]
    assert debug_bench.writer.asked == []


def test_D03_a_route_without_parameters_says_that_it_has_none(bench: Bench) -> None:
    told = "query.qty: there is no such parameter (this route has none)"
    assert problem(bench.send("POST", "orders?qty=5", ORDER)) == (422, told)


@pytest.mark.parametrize("path", ["account", "orders", "positions", "executions/AAPL?limit=5"])
def test_D03_what_only_reads_ignores_what_caches_and_tracers_add(bench: Bench, path: str) -> None:
    added = f"{'&' if '?' in path else '?'}_=1&_=2&utm_source=x"
    assert bench.send("GET", f"{path}{added}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("DELETE", "positions/AAPL?amount=1&amount=2", "amount"),
        ("DELETE", "positions/AAPL?amount=1&amount=1", "amount"),
        ("DELETE", "positions/AAPL?amount=1&%61mount=2", "amount"),
        ("GET", "executions/AAPL?limit=1&before_seq=7&limit=2", "limit"),
        ("GET", "leverage/info?symbol=A&symbol=B&orderType=2&side=1", "symbol"),
    ],
)
def test_D03_a_parameter_that_is_given_twice_is_refused(bench: Bench, method: str, path: str, name: str) -> None:
    reply = bench.send(method, path)
    assert problem(reply) == (422, f"query.{name}: {TWICE}")
    assert bench.writer.asked == []


def test_D03_a_query_of_many_wrong_names_gets_a_bounded_answer(bench: Bench) -> None:
    reply = bench.send("DELETE", "positions/AAPL?" + "&".join(f"a{number}=1" for number in range(500)))
    assert (problem(reply)[0], len(reply.json()["errors"])) == (422, 50)


# 3 in Arabic, 3 in full width.
@pytest.mark.parametrize("amount", ["1_0", "%205", "5%20", "%D9%A3", "%EF%BC%93", "%2B5", "+5", "0x5", "", ".", "5%0A"])
def test_D03_an_amount_is_written_in_plain_digits(bench: Bench, amount: str) -> None:
    assert problem(bench.send("DELETE", f"positions/AAPL?amount={amount}")) == (422, f"query.amount: {NUMBER}")
    assert bench.writer.asked == []


@pytest.mark.parametrize("amount", ["10", "10.0", "010.", "1e1", "1E%2B1"])
def test_D03_an_amount_is_taken_in_every_usual_spelling(bench: Bench, amount: str) -> None:
    assert bench.send("DELETE", f"positions/AAPL?amount={amount}").status_code == 200
    assert bench.writer.asked[-1][1] == ClosePosition("AAPL", 10)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["limit", "before_seq"])
@pytest.mark.parametrize("number", ["1_0", "%205", "5.0", "%2B5", "%D9%A3", ""])
def test_D03_a_page_is_asked_for_in_plain_digits(bench: Bench, name: str, number: str) -> None:
    told = problem(bench.send("GET", f"executions/AAPL?{name}={number}"))
    assert told == (422, f"query.{name}: {WHOLE}")
