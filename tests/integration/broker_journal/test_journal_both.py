"""D04: what the journal took is there after a restart, and every read gives what it should; in both databases."""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Engine, func, select, update
from support.broker_journal import START_MS, AccountScript, answer, no_fence

from trading_api.models.broker import Side
from trading_api.modules.broker import tables
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.events import Event, ExecutionEvent, OrderEvent, PositionEvent
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.journal import purge, queries
from trading_api.modules.broker.journal.batch import Batch
from trading_api.modules.broker.journal.journal import Journal
from trading_api.modules.broker.journal.statements import insert_rows
from trading_api.shared.store.engine import open_engine, writing
from trading_api.shared.store.errors import StoreError

pytestmark = pytest.mark.integration


def ids(orders: Iterable[Order]) -> list[str]:
    return [order.id for order in orders]


def a_day() -> AccountScript:
    """Orders 1 canceled, 2 filled in two steps, 3 live, 4 filled the other way; MSFT closed, AAPL open."""
    script = AccountScript()
    script.cancel(script.place())
    script.fill(script.fill(script.place(qty="10"), "4"))
    script.place(price="99.5")
    script.fill(script.place("MSFT", qty="2", price="0.000000000001"))
    script.fill(script.place("MSFT", Side.SELL, qty="2", price="300"))
    script.leverage("AAPL", "20")
    return script


def test_D04_a_restart_begins_with_what_was_committed(journal: Journal, engine: Engine) -> None:
    first, second = a_day(), AccountScript("B")
    for _ in range(12):
        second.place()
    journal.commit(Batch((*first.batch().events, *second.batch().events)), no_fence)
    first.fill(first.state.orders["3"], "1")
    second.cancel(second.state.orders["2"])
    journal.commit(Batch((*second.batch().events, *first.batch().events)), no_fence)
    states = {state.id: state for state in Journal(engine).load()}
    assert states == {"A": first.state, "B": second.state}
    # In the order in which they were made, which is not that of their texts.
    assert ids(states["B"].orders.values()) == ids(second.state.orders.values())
    assert journal.verify("A") == journal.verify("B") == []
    assert journal.last_seqs(["A", "B", "C"]) == {"A": first.state.seq, "B": second.state.seq}


def test_D04_an_empty_store_has_nothing_and_the_first_commit_makes_it(empty_store_url: str) -> None:
    engine = open_engine(empty_store_url)
    journal, script = Journal(engine), AccountScript()
    assert (journal.load(), journal.leverages("A"), journal.orders("A"), journal.positions("A")) == ([], {}, [], [])
    assert (journal.executions("A", "AAPL"), journal.events_after("A", 0, None, 10)) == ([], [])
    assert (journal.last_seqs(["A"]), journal.answers([("A", "1")]), journal.verify("A")) == ({}, {}, [])
    script.place()
    journal.commit(script.batch(), no_fence)
    assert journal.load() == [script.state]
    engine.dispose()


def test_D03_live_orders_and_the_final_ones_of_the_session_are_listed(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = a_day()
    journal.commit(script.batch(), no_fence)
    assert ids(journal.orders("A")) == ["1", "2", "3", "4", "5"]
    assert journal.orders("A")[2] == script.state.orders["3"]
    finals = {order.id: order.updated_ms for order in journal.orders("A")}
    assert ids(journal.orders("A", since_ms=finals["2"])) == ["2", "3", "4", "5"]
    assert ids(journal.orders("A", since_ms=START_MS * 2)) == ["3"], "live ones are listed however old they are"
    monkeypatch.setattr(queries, "MOST_FINALS", 2)
    assert ids(journal.orders("A")) == ["3", "4", "5"], "of the final ones the newest"
    assert journal.orders("B") == []


def test_D03_executions_of_a_symbol_ascend_by_time(journal: Journal) -> None:
    script = a_day()
    # The writer's clock was set back between two trades.
    last = script.every[-1]
    journal.commit(script.batch(), no_fence)
    found = journal.executions("A", "AAPL")
    assert [(event.execution.id, event.execution.qty) for event in found] == [("1", Decimal(4)), ("2", Decimal(6))]
    assert found == [e for e in script.every if isinstance(e, ExecutionEvent) and e.execution.symbol == "AAPL"]
    later = replace(found[-1].execution, id="9", time_ms=START_MS)
    journal.commit(Batch((ExecutionEvent("A", last.seq + 1, START_MS, later),)), no_fence)
    assert [event.execution.id for event in journal.executions("A", "AAPL")] == ["9", "1", "2"]
    assert journal.executions("A", "EURUSD") == journal.executions("B", "AAPL") == []


def test_D03_executions_are_listed_in_pages_from_the_newest_on(journal: Journal) -> None:
    script = a_day()
    for _ in range(5):
        script.fill(script.place(qty="1"))
    journal.commit(script.batch(), no_fence)
    every = [each for each in script.every if isinstance(each, ExecutionEvent) and each.execution.symbol == "AAPL"]
    assert len(every) == 7
    newest = journal.executions("A", "AAPL", 3)
    assert newest == every[-3:]
    older = journal.executions("A", "AAPL", 3, newest[0].seq)
    assert older == every[-6:-3]
    assert journal.executions("A", "AAPL", 3, older[0].seq) == every[:1]
    assert journal.executions("A", "AAPL", 3, every[0].seq) == []


def test_D03_leverages_are_those_that_the_account_chose(journal: Journal) -> None:
    script = a_day()
    script.leverage("AAPL", "5")
    script.leverage("MSFT", "2")
    script.leverage("AAPL", "4")
    journal.commit(script.batch(), no_fence)
    assert journal.leverages("A") == script.state.leverages
    assert journal.leverages("A")["AAPL"] == Decimal(4)
    assert journal.leverages("B") == {}


def test_D03_open_positions_are_listed(journal: Journal) -> None:
    script = a_day()
    journal.commit(script.batch(), no_fence)
    (position,) = journal.positions("A")
    assert position == script.state.positions["AAPL"]
    assert (position.qty, position.cost) == (Decimal(10), Decimal("1005.00"))
    script.fill(script.place(side=Side.SELL, qty="10"))
    journal.commit(script.batch(), no_fence)
    assert journal.positions("A") == []


def test_D03_a_reset_lists_nothing_and_deletes_nothing_from_the_log(journal: Journal) -> None:
    script = a_day()
    journal.commit(script.batch(), no_fence)
    script.place()
    script.reset()
    script.place()
    journal.commit(script.batch(), no_fence)
    assert journal.load() == [script.state]
    assert ids(journal.orders("A")) == ["7"], "ids go on"
    assert (journal.positions("A"), journal.executions("A", "AAPL")) == ([], [])
    assert journal.events_after("A", 0, None, 1000) == script.every
    assert journal.verify("A") == []
    script.fill(script.state.orders["7"])
    journal.commit(script.batch(), no_fence)
    assert [event.execution.id for event in journal.executions("A", "AAPL")] == ["5"]
    assert journal.verify("A") == []


def kinds_of(events: Iterable[Event], *kinds: type[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, kinds)]


def test_D04_the_log_is_read_on_from_anywhere(journal: Journal) -> None:
    script = a_day()
    journal.commit(script.batch(), no_fence)
    every = script.every
    assert journal.events_after("A", 0, None, 1000) == every
    assert journal.events_after("A", 3, None, 2) == every[3:5]
    assert journal.events_after("A", every[-1].seq, None, 10) == journal.events_after("B", 0, None, 10) == []
    assert journal.events_after("A", 0, [], 10) == []
    for kinds in [(OrderEvent,), (PositionEvent, ExecutionEvent), (OrderEvent, ExecutionEvent, PositionEvent)]:
        assert journal.events_after("A", 0, kinds, 1000) == kinds_of(every, *kinds)
        assert journal.events_after("A", 5, kinds, 3) == kinds_of(every[5:], *kinds)[:3]


def test_D04_answers_are_kept_with_what_they_rest_on(journal: Journal) -> None:
    script = AccountScript()
    script.place()
    first, other = answer("key:é 😀", text='{"a":"\\u0000"}'), answer("1", "B")
    journal.commit(script.batch(first, other), no_fence)
    journal.commit(Batch(answers=(answer("2"),)), no_fence)
    assert journal.answers([first.key, ("B", "1"), ("A", "3")]) == {first.key: first, other.key: other}
    assert journal.answers([("A", str(number)) for number in range(1200)]) == {("A", "2"): answer("2")}
    assert journal.answers([]) == {}


def test_D04_a_command_is_answered_once(journal: Journal) -> None:
    script = AccountScript()
    script.place()
    journal.commit(script.batch(answer("1", text="first")), no_fence)
    before = journal.load()
    script.place()
    with pytest.raises(StoreError, match=r"(?i)unique"):
        journal.commit(script.batch(answer("1", text="second")), no_fence)
    assert journal.load() == before, "and what the second one did is not written either"
    assert journal.answers([("A", "1")])["A", "1"].answer_json == "first"


def test_D04_old_answers_leave_in_portions(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(purge, "PORTION", 3)
    clock, now = [0.0], START_MS + purge.KEPT_MS
    journal = Journal(engine, now_ms=lambda: now, clock=lambda: clock[0])
    with writing(engine) as connection:
        old = [("A", f"old {number}", "h", "{}", START_MS - 1 - number) for number in range(5)]
        insert_rows(connection, tables.commands, [*old, ("A", "a day old", "h", "{}", START_MS)])
    left = []
    for number in range(3):
        journal.commit(Batch(answers=(answer(str(number)),)), no_fence)
        left.append(len(journal.answers([("A", f"old {number}") for number in range(5)])))
    assert left == [2, 0, 0]
    assert set(journal.answers([("A", name) for name in ("a day old", "0", "1", "2")])) == {
        ("A", name) for name in ("a day old", "0", "1", "2")
    }
    # Not asked for at every commit: the clock has to go on.
    with writing(engine) as connection:
        connection.execute(update(tables.commands).values(created_ms=0))
    journal.commit(Batch(answers=(answer("later"),)), no_fence)
    assert len(journal.answers([("A", "0"), ("A", "1")])) == 2
    clock[0] += 61
    journal.commit(Batch(answers=(answer("much later"),)), no_fence)
    assert len(journal.answers([("A", name) for name in ("a day old", "0", "1", "2")])) == 1


def test_D04_terms_are_settings_and_the_first_days_cash_is_history(engine: Engine) -> None:
    poor = AccountTerms(balance=Decimal(50))
    script = AccountScript(terms=poor)
    script.place()
    Journal(engine, poor).commit(script.batch(), no_fence)
    rich = Journal(engine, AccountTerms(balance=Decimal(10**6), commission_rate=Decimal("0.01")))
    (state,) = rich.load()
    assert (state.balance, state.terms.commission_rate) == (Decimal(50), Decimal("0.01"))
    assert rich.verify("A") == []


def test_D04_many_accounts_fit_in_one_batch(journal: Journal, engine: Engine) -> None:
    scripts = [AccountScript(f"ACC-{number}") for number in range(1100)]
    for script in scripts:
        script.place()
    journal.commit(Batch(tuple(event for script in scripts for event in script.pending)), no_fence)
    assert len(journal.load()) == len(journal.last_seqs([script.state.id for script in scripts])) == 1100
    with writing(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(tables.events)) == 1100


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE broker_accounts SET seq = seq - 1", "seq: the log says 23, the rows 22"),
        ('UPDATE broker_accounts SET payload = replace(payload, \'"fees":"0"\', \'"fees":"1"\')', "fees: .* rows 1"),
        ("UPDATE broker_positions SET payload = replace(payload, '\"10\"', '\"11\"')", "positions AAPL: the log says"),
        ("DELETE FROM broker_positions", "positions AAPL: the log says .*, the rows None"),
        ("DELETE FROM broker_orders WHERE order_id = '1'", "order 1: has no row"),
        ("UPDATE broker_orders SET live = NOT live WHERE order_id = '3'", "order 3: its row is not its last value"),
        (
            "UPDATE broker_orders SET live = NOT live WHERE order_id = '2'",
            "orders 2: the log says None, the rows Order",
        ),
        ("UPDATE broker_orders SET updated_ms = 0 WHERE order_id = '3'", "order 3: its row is not its last value"),
        ("DELETE FROM broker_events WHERE seq = 7", "the log is broken: A is at 6; event 8 of A does not follow"),
        ("DELETE FROM broker_events WHERE seq = 23", "seq: the log says 22, the rows 23"),
        (
            'UPDATE broker_events SET payload = replace(payload, \'"qty":"4"\', \'"qty":"5"\') WHERE seq = 4',
            "order 2: filled 10, but its executions add up to 11",
        ),
        (
            'UPDATE broker_events SET payload = replace(payload, \'"id":"2"\', \'"id":"1"\') WHERE seq = 8',
            "execution 1 happened twice",
        ),
    ],
)
def test_D04_an_audit_tells_what_does_not_fit(journal: Journal, engine: Engine, statement: str, words: str) -> None:
    journal.commit(a_day().batch(), no_fence)
    assert journal.verify("A") == []
    with writing(engine) as connection:
        assert connection.exec_driver_sql(statement).rowcount == 1
    assert re.search(words, "\n".join(journal.verify("A")))


@pytest.mark.parametrize(
    ("statement", "read", "words"),
    [
        ("UPDATE broker_accounts SET payload = '{}'", "load", "broker_accounts, row A: lacks the fields: balance"),
        ("UPDATE broker_orders SET payload = 'x'", "load", "broker_orders, row A 3: is no JSON"),
        ("UPDATE broker_positions SET payload = '{\"new\":1}'", "load", "broker_positions, row A AAPL: holds unknown"),
        (
            "UPDATE broker_events SET kind = 'gift' WHERE seq = 2",
            "verify",
            "broker_events, row A 2: is of the kind 'gift'",
        ),
        ("UPDATE broker_accounts SET payload = '[]'", "commit", r"A: is \[\], not an object"),
    ],
)
def test_D04_a_row_that_cannot_be_understood_is_named(
    journal: Journal, engine: Engine, statement: str, read: str, words: str
) -> None:
    script = a_day()
    journal.commit(script.batch(), no_fence)
    with writing(engine) as connection:
        connection.exec_driver_sql(statement)
    script.place()
    reads: dict[str, Callable[[], object]] = {
        "load": journal.load,
        "verify": lambda: journal.verify("A"),
        "commit": lambda: journal.commit(script.batch(), no_fence),
    }
    with pytest.raises(StoreError, match=words):
        reads[read]()
