"""Reads what a load of orders left in the store, and says what was lost, repeated or does not add up (D04)."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal

from trading_api.modules.broker.domain.events import Event, ExecutionEvent, OrderEvent, PositionEvent
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.journal.journal import Journal
from trading_api.shared.store.address import orders_url
from trading_api.shared.store.engine import open_engine

ACCOUNT = "DEMO-ACCOUNT"
_PAGE = 5000


@dataclass(frozen=True)
class Ledger:
    """One account's whole log, and what the journal itself finds wrong with it."""

    events: tuple[Event, ...]
    differences: tuple[str, ...]

    def problems(self, placed: dict[str, str]) -> list[str]:
        """`placed`: Idempotency-Key → order id, of all that was acknowledged."""
        return [*self.differences, *self._sequence(), *self._lost(placed), *self._repeated(placed), *self._sums()]

    def seqs(self, kind: type[Event]) -> list[int]:
        """Where the events of one kind stand."""
        return [event.seq for event in self.events if isinstance(event, kind)]

    def orders(self) -> dict[str, Order]:
        """Every order as it was last."""
        return {event.order.id: event.order for event in self.events if isinstance(event, OrderEvent)}

    def _sequence(self) -> Iterator[str]:
        if [event.seq for event in self.events] != list(range(1, len(self.events) + 1)):
            yield "the sequence has a gap or a repetition"

    def _lost(self, placed: dict[str, str]) -> Iterator[str]:
        known = self.orders()
        yield from (f"order {number} of {key} is lost" for key, number in placed.items() if number not in known)

    def _repeated(self, placed: dict[str, str]) -> Iterator[str]:
        for number, times in Counter(placed.values()).items():
            if times > 1:
                yield f"order {number} was acknowledged for {times} keys"

    def _sums(self) -> Iterator[str]:
        filled, held = defaultdict[str, Decimal](Decimal), defaultdict[str, Decimal](Decimal)
        positions = dict[str, Position]()
        executions = Counter[str]()
        for event in self.events:
            if isinstance(event, ExecutionEvent):
                filled[event.execution.order_id] += event.execution.qty
                held[event.execution.symbol] += event.execution.qty * event.execution.side
                executions[event.execution.id] += 1
            elif isinstance(event, PositionEvent):
                positions[event.position.symbol] = event.position
        for number, order in self.orders().items():
            if order.filled_qty != filled[number]:
                yield f"order {number}: filled {order.filled_qty}, executed {filled[number]}"
        for symbol, qty in held.items():
            if positions[symbol].qty * positions[symbol].side != qty:
                yield f"{symbol}: position {positions[symbol].qty} {positions[symbol].side.name}, executions {qty}"
        yield from (f"execution {number} is there {times} times" for number, times in executions.items() if times > 1)


@contextmanager
def ledger_of(store_url: str, account: str = ACCOUNT) -> Iterator[Ledger]:
    """The ledger of an account whose writer has stopped, or goes on."""
    engine = open_engine(orders_url(store_url))
    try:
        journal = Journal(engine)
        yield Ledger(tuple(_events(journal, account)), tuple(journal.verify(account)))
    finally:
        engine.dispose()


def _events(journal: Journal, account: str) -> Iterator[Event]:
    last = 0
    while page := journal.events_after(account, last, None, _PAGE):
        yield from page
        last = page[-1].seq
