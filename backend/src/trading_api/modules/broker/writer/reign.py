"""The accounts in memory and what is not durable yet: from a load to the first failure, or to the end of the lease."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import Connection

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.equity import Unvalued
from trading_api.modules.broker.domain.events import EquityEvent, Event
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.outcome import Refusal
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.requests import ModifyOrder, PlaceOrder
from trading_api.modules.broker.journal.batch import Batch, CommandAnswer
from trading_api.modules.broker.market.port import Market
from trading_api.modules.broker.writer.call import AskEquity, Call, EquityNow, Reply
from trading_api.modules.broker.writer.codec import dump_reply, load_reply
from trading_api.modules.broker.writer.equity_watch import EquityWatch
from trading_api.modules.broker.writer.errors import (
    Again,
    CommandFailed,
    KeyReused,
    MarketUnknown,
    NoWriter,
    StoreFailed,
)
from trading_api.modules.broker.writer.group_commit import GroupCommit
from trading_api.modules.broker.writer.in_flight import KEY_REUSED, MOST, CallsInFlight, InFlight
from trading_api.modules.broker.writer.looking import look, symbol_to_look_at
from trading_api.modules.broker.writer.lookups import Lookups
from trading_api.modules.broker.writer.ports import DeskPort, Fence, JournalPort, Listener
from trading_api.modules.broker.writer.threads import WriterThreads
from trading_api.modules.broker.writer.valuing import Valuing
from trading_api.shared.lease import LeaseLost
from trading_api.shared.store.errors import StoreError

logger = logging.getLogger(__name__)

PATIENCE_S = 10.0
"""After so long nobody waits for a command any more."""
_SLICE = 100
"""Symbols or accounts after which the event loop has a turn."""

_LOST = "The broker that was to carry it out does not write any more."
_BROKEN = "The broker could not carry it out; its log has the reason."
_UNVALUED = "What the account is worth is not known yet; try again."
_TOO_LATE = "The broker did not carry it out in time; whether it will be done is not known yet."


def _is_malformed(call: Call, reply: Reply) -> bool:
    """Whether an order's terms were refused. What was stored of it (Rejected) is the caller's to know."""
    is_order = isinstance(call.request, PlaceOrder | ModifyOrder)
    return is_order and isinstance(reply, Refusal) and reply.kind == "invalid"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every reign of an instance works with. `clock`: the time of day, ms UTC; `fence`: the lease's."""

    journal: JournalPort
    market: Market
    threads: WriterThreads
    fence: Fence
    clock: Callable[[], int]
    listener: Listener
    most_in_flight: int = MOST


class Reign:
    """Executes at once, in the order of arrival, and answers after the commit. Belongs to one event loop.

    `over` is done when nothing more is executed: with the error that ended it.
    """

    def __init__(self, desk: DeskPort, states: Sequence[AccountState], around: Surroundings) -> None:
        self.over: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
        self.has_written = False
        self._desk = desk
        self._around = around
        self._equity = EquityWatch(states)
        self._calls = CallsInFlight(around.most_in_flight)
        self._lookups = Lookups(around.journal, around.threads.answers)
        self._preparing: set[asyncio.Task[None]] = set()
        self._group: GroupCommit[Event, CommandAnswer] = GroupCommit(
            self._commit, around.threads.commit, written=self._written, failed=self.end
        )
        self._watched = desk.symbols()
        around.market.watch(self._watched)
        self._valuing = Valuing(desk, around.market, heed=self.on_market, no_price=self._no_price)
        self._catching_up = False
        self._begin(self._valuing.run())

    @property
    def overdue(self) -> int:
        """How many of the symbols held are not valued yet, although there was time for it."""
        return self._valuing.overdue

    def submit(self, call: Call) -> asyncio.Future[Reply]:
        """Take a call. Its future fails with Again, or with a CommandError. Raises Overloaded, KeyReused, Again."""
        if self.over.done():
            raise Again(_LOST)
        known = self._calls.find(call)
        if known is not None:
            return known.join()
        symbol = symbol_to_look_at(self._around.market, self._desk, call)
        entry = self._calls.enter(call, asyncio.get_running_loop().time())
        waiter = entry.join()
        if call.may_be_answered or symbol is not None:
            self._begin(self._prepare(entry, symbol), entry)
        else:
            self._execute(entry)
        return waiter

    def on_market(self, view: MarketView) -> None:
        """A quote, or the feed's clock: fill and expire what is due."""
        if not self.over.done():
            self._equity.moved(view.instrument.symbol)
            self._heed(view)
            self._valued(view.instrument.symbol)

    def on_price(self, symbol: str, quote: Quote | None) -> None:
        """All that is known of a symbol yet; None: there is no price."""
        if self.over.done():
            return
        if quote is None:
            self._no_price(symbol)
            return
        self._desk.price(quote)
        self._equity.moved(symbol)
        self._valued(symbol)
        if self._desk.is_reached(quote):
            self._around.market.hurry(symbol)

    async def tick(self) -> None:
        """Once a second: what is due by the clock, what the quotes have made of equity, who has waited too long."""
        now = asyncio.get_running_loop().time()
        self._calls.give_up(now - PATIENCE_S, NoWriter(_TOO_LATE))
        await self._in_slices(sorted(self._desk.symbols()), self._look_again)
        await self._in_slices(self._equity.take(), self._tell_equity)

    def end(self, error: Exception) -> None:
        """Execute nothing more. What is not in the store's hands yet fails with `error`, what is ends as it ends."""
        if self.over.done():
            return
        self.over.set_result(error)
        self._group.abandon(error)
        for task in self._preparing:
            task.cancel()

    async def finish(self) -> None:
        """Begin nothing more; wait until everything that was executed is durable, or has failed."""
        for task in self._preparing:
            task.cancel()
        await self._group.idle()

    async def clear(self) -> None:
        """Wait for what is under way after `end`."""
        await self._lookups.stop()
        if self._preparing:
            await asyncio.wait(self._preparing)
        await self._group.idle()

    async def _prepare(self, entry: InFlight, symbol: str | None) -> None:
        """Ask the store and the market what must be known, then execute."""
        try:
            if entry.call.may_be_answered and await self._answer_from_store(entry):
                return
            refusal = None if symbol is None else await look(self._around.market, symbol, entry.call.request)
        except StoreError as error:
            entry.fail(StoreFailed(str(error)))
        except MarketUnknown as error:
            entry.fail(error)
        except Exception:  # A boundary: whoever waits must be told, whatever it was.
            logger.exception("a command could not be prepared")
            entry.fail(CommandFailed(_BROKEN))
        else:
            if refusal is None:
                self._execute(entry)
            else:
                self._answer(entry, refusal, ())

    def _begin(self, work: Coroutine[None, None, None], entry: InFlight | None = None) -> None:
        """Have it done in a task that ends with this reign; `entry` is the command that waits for it."""
        task = asyncio.get_running_loop().create_task(work, name="broker reign")
        self._preparing.add(task)
        task.add_done_callback(partial(self._ended, entry))

    def _ended(self, entry: InFlight | None, task: asyncio.Task[None]) -> None:
        """Also of a task that was cancelled before it began, and could not say so itself."""
        self._preparing.discard(task)
        if not task.cancelled():
            if error := task.exception():
                logger.error("what a command or a quote began has failed", exc_info=error)
        elif entry is not None:
            entry.fail(Again(_LOST))

    async def _answer_from_store(self, entry: InFlight) -> bool:
        stored = await self._lookups.find(entry.call.key)
        if stored is None:
            return False
        if stored.body_hash != entry.call.body_hash:
            entry.fail(KeyReused(KEY_REUSED))
        else:
            entry.reply = load_reply(stored.answer_json)
            entry.settle()
        return True

    def _execute(self, entry: InFlight) -> None:
        if self.over.done():
            entry.fail(Again(_LOST))
            return
        try:
            self._do(entry)
        except Unvalued as unvalued:
            self._postpone(entry, unvalued)
        except Exception:  # A defect of the domain: the accounts in memory may be half changed.
            logger.exception("a command broke the desk: %s", type(entry.call.request).__name__)
            entry.fail(CommandFailed(_BROKEN))
            self.end(Again(_LOST))

    def _do(self, entry: InFlight) -> None:
        account_id, request = entry.call.account_id, entry.call.request
        if not self._desk.has(account_id):
            self._desk.open(account_id)
        if isinstance(request, AskEquity):
            self._answer_worth(entry)
            return
        outcome = self._desk.execute(account_id, request, self._around.market.view, self._around.clock())
        self._answer(entry, outcome.result, outcome.events)

    def _answer_worth(self, entry: InFlight) -> None:
        """At once or not at all: whoever follows the account is told when it is known."""
        account_id = entry.call.account_id
        worth = EquityNow(self._desk.state(account_id).seq, self._desk.equity(account_id))
        if worth.equity.equity is None:
            entry.fail(MarketUnknown(_UNVALUED))
        else:
            self._answer(entry, worth, ())

    def _postpone(self, entry: InFlight, unvalued: Unvalued) -> None:
        """It depends on a value that is not known: carry it out when that is there, unless it is long in coming."""
        if self._valuing.is_worth_waiting(unvalued.symbols):
            self._begin(self._execute_once_valued(entry, unvalued.symbols), entry)
        else:
            entry.fail(MarketUnknown(str(unvalued)))

    async def _execute_once_valued(self, entry: InFlight, symbols: Collection[str]) -> None:
        await self._valuing.wait(symbols)
        self._execute(entry)

    def _no_price(self, symbol: str) -> None:
        """There is no price of what is held, or nobody trades it."""
        if not self.over.done():
            self._desk.no_price(symbol)
            self._equity.moved(symbol)
            self._valued(symbol)

    def _valued(self, symbol: str) -> None:
        """The market said something of it. The first time, what waited for that goes on."""
        if not self._valuing.is_done and self._valuing.heard(symbol) and not self._catching_up:
            self._catching_up = True
            self._begin(self._catch_up())

    async def _catch_up(self) -> None:
        """Tell what accounts are worth, which nobody was told yet, and let the orders that waited meet the market.

        Once for all symbols that are heard in one go.
        """
        self._catching_up = False
        await self._in_slices(self._equity.take(), self._tell_equity)
        if self._valuing.is_done:
            await self._in_slices(sorted(self._desk.symbols()), self._look_again)

    def _answer(self, entry: InFlight, reply: Reply, events: Sequence[Event]) -> None:
        """Have it committed with its answer, which is kept if a second execution would do harm, or its client asks.

        Of an order that is malformed nothing is kept (nor is of a 422): its client mends it under the same key.
        """
        entry.reply = reply
        call = entry.call
        kept = not call.is_query and (events or (call.is_keyed and not _is_malformed(call, reply)))
        answers = (CommandAnswer(call.account_id, call.id, call.body_hash, dump_reply(reply)),) if kept else ()
        self._equity.heed(events)
        self._group.add(events, answers, entry)

    def _heed(self, view: MarketView) -> None:
        self._happen(view.instrument.symbol, partial(self._desk.on_market, view, self._around.clock()))

    def _happen(self, symbol: str, what: Callable[[], Sequence[Event]]) -> None:
        try:
            events = what()
        except Exception:  # As in _execute.
            logger.exception("a quote of %s broke the desk", symbol)
            self.end(Again(_LOST))
            return
        if events:
            self._equity.heed(events)
            self._group.add(events, (), None)

    async def _in_slices(self, names: Sequence[str], work: Callable[[str], None]) -> None:
        for count, name in enumerate(names, 1):
            if self.over.done():
                return
            work(name)
            if count % _SLICE == 0:
                await asyncio.sleep(0)

    def _look_again(self, symbol: str) -> None:
        market = self._around.market
        view = market.view(symbol)
        if view is not None:
            self._heed(view)
        else:
            self._happen(symbol, partial(self._desk.on_clock, symbol, market.now_ms(), self._around.clock()))

    def _tell_equity(self, account_id: str) -> None:
        equity = self._desk.equity(account_id)
        if equity.equity is not None and self._equity.tell(account_id, equity):
            told = EquityEvent(account_id, self._desk.state(account_id).seq, self._around.clock(), equity)
            self._group.add((), (), _EquityNews(told, self._around.listener))

    def _commit(self, events: Sequence[Event], answers: Sequence[CommandAnswer]) -> None:
        """In the thread for commits."""
        try:
            self._around.journal.commit(Batch(tuple(events), tuple(answers)), self._fence)
        except LeaseLost:
            raise Again(_LOST) from None
        except StoreError as error:
            logger.warning("a commit failed: %s", error)
            raise StoreFailed(str(error)) from None
        except Exception:  # A boundary: whoever waits must be told, whatever it was.
            logger.exception("a commit failed")
            raise CommandFailed(_BROKEN) from None

    def _fence(self, connection: Connection) -> None:
        """As the lease's, but for this reign alone: an instance that has got the lease again has loaded again."""
        self._around.fence(connection)
        if self.over.done():
            raise LeaseLost(_LOST)

    def _written(self, events: Sequence[Event]) -> None:
        self.has_written = True
        self._watch()
        by_account: dict[str, list[Event]] = {}
        for event in events:
            by_account.setdefault(event.account_id, []).append(event)
        for account_id, of_account in by_account.items():
            self._around.listener.written(account_id, of_account)

    def _watch(self) -> None:
        """Keep the quotes coming that live orders and positions need."""
        symbols = self._desk.symbols()
        if symbols != self._watched:
            self._watched = symbols
            self._around.market.watch(symbols)


class _EquityNews:
    """Told when everything that the figures rest on is durable."""

    __slots__ = ("_event", "_listener")

    def __init__(self, event: EquityEvent, listener: Listener) -> None:
        self._event = event
        self._listener = listener

    def settle(self) -> None:
        self._listener.worth(self._event)

    def fail(self, error: Exception) -> None:
        """It never was."""
