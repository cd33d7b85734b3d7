"""D04: the rows that a restart reads say the same as the log, however it was cut into transactions."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.broker_journal import AccountScript

from trading_api.models.broker import Side
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.events import Event, OrderEvent
from trading_api.modules.broker.journal.account_row import AccountRow
from trading_api.modules.broker.journal.audit import Audit
from trading_api.modules.broker.journal.current import Current, SequenceBroken, take_all
from trading_api.modules.broker.journal.event_rows import ORDERS, POSITIONS, event_of, event_row
from trading_api.modules.broker.journal.record import RecordError
from trading_api.modules.broker.journal.statements import Row

TERMS = AccountTerms()
steps = st.lists(
    st.tuples(
        st.sampled_from(["place", "fill", "part", "cancel", "leverage", "reset"]),
        st.sampled_from(["AAPL", "MSFT"]),
        st.sampled_from(Side),
        st.integers(0, 3),
    ),
    max_size=25,
)


def script_of(done: list[tuple[str, str, Side, int]]) -> AccountScript:
    script = AccountScript()
    for what, symbol, side, number in done:
        live = list(script.state.orders.values())
        order = live[number % len(live)] if live else None
        if what == "place":
            script.place(symbol, side, qty=str(number + 2))
        elif what == "leverage":
            script.leverage(symbol, str(number + 1))
        elif what == "reset":
            script.reset()
        elif order and what == "cancel":
            script.cancel(order)
        elif order:
            script.fill(order, "1" if what == "part" and order.remaining > 1 else None)
    return script


class Tables:
    """The broker's tables as dictionaries, written as the journal writes them."""

    def __init__(self) -> None:
        self.account = AccountRow.new("A", TERMS)
        self.orders: dict[str, Row] = {}
        self.positions: dict[str, str] = {}

    def commit(self, batch: list[Event]) -> None:
        for current in take_all({"A": self.account}, [(event, event_row(event)[-1]) for event in batch]):
            if current.was_reset:
                self.orders = {name: (*row[:2], False, *row[3:]) for name, row in self.orders.items()}
                self.positions.clear()
            self.orders |= current.orders
            self.positions = {
                symbol: text for symbol, text in (self.positions | current.positions).items() if text is not None
            }
            self.account = AccountRow.read(*current.row().columns())


@settings(max_examples=60)
@given(steps, st.lists(st.integers(1, 8)))
def test_D04_current_rows_are_what_the_log_amounts_to(done: list[tuple[str, str, Side, int]], sizes: list[int]) -> None:
    script, tables = script_of(done), Tables()
    events = iter(script.every)
    for size in [*sizes, len(script.every)]:
        tables.commit(list(islice(events, size)))
    live = [ORDERS.value(str(row[-1])) for row in tables.orders.values() if row[2]]
    state = tables.account.state(TERMS, live, [POSITIONS.value(text) for text in tables.positions.values()])
    assert state == script.state
    assert list(state.orders) == list(script.state.orders)
    audit = Audit(AccountRow.new("A", TERMS).state(TERMS, [], []))
    for event in script.every:
        audit.take(event)
    rows = [(str(row[1]), bool(row[2]), row[3], row[4], row[5], row[6]) for row in tables.orders.values()]
    assert audit.differences(state, rows) == []  # type: ignore[arg-type]


@given(steps)
def test_D04_every_event_is_read_back_exactly(done: list[tuple[str, str, Side, int]]) -> None:
    for event in script_of(done).every:
        account, seq, kind, _, time_ms, payload = event_row(event)
        assert event_of(account, seq, kind, time_ms, payload) == event


def test_D04_an_event_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(RecordError, match="is of the kind 'dividend', which this program does not know"):
        event_of("A", 1, "dividend", 0, "{}")


@pytest.mark.parametrize("taken", [[0, 0], [1], [0, 2], [0, 1, 0]])
def test_D04_events_that_do_not_follow_are_refused(taken: list[int]) -> None:
    script = AccountScript()
    for _ in range(3):
        script.place()
    current = Current(AccountRow.new("A", TERMS))
    with pytest.raises(SequenceBroken, match=r"account A is at event \d; \d does not follow"):
        _take(current, [script.every[index] for index in taken])


def _take(current: Current, events: list[Event]) -> None:
    for event in events:
        current.take(event, "{}")


def test_D04_one_row_per_order_however_often_it_changed() -> None:
    script = AccountScript()
    order = script.place()
    for _ in range(3):
        order = script.fill(order, "1")
    (current,) = take_all({"A": AccountRow.new("A", TERMS)}, [(e, event_row(e)[-1]) for e in script.every])
    assert list(current.orders) == ["1"]
    last = [event for event in script.every if isinstance(event, OrderEvent)][-1]
    assert current.orders["1"][-2:] == (last.seq, ORDERS.text(last.order))
