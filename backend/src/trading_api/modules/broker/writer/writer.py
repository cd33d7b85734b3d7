"""The writer of an instance: holds the lease, or waits for it; loads the accounts, and reigns over them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.market.port import Market
from trading_api.modules.broker.writer.call import Call, Reply
from trading_api.modules.broker.writer.commit_watch import NO_STORE, CommitWatch
from trading_api.modules.broker.writer.counter import Counter
from trading_api.modules.broker.writer.errors import Again, StoreFailed
from trading_api.modules.broker.writer.in_flight import MOST
from trading_api.modules.broker.writer.ports import DeskPort, JournalPort, LeaseKeeping
from trading_api.modules.broker.writer.reign import Reign, Surroundings
from trading_api.modules.broker.writer.store_identity import StoreIdentity
from trading_api.modules.broker.writer.store_look import StoreLook
from trading_api.modules.broker.writer.telling import Telling
from trading_api.modules.broker.writer.threads import WriterThreads
from trading_api.modules.broker.writer.writer_news import WriterNews
from trading_api.shared.bus import Bus
from trading_api.shared.store.errors import StoreError

logger = logging.getLogger(__name__)

TICK_S = 1.0
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0
_FINISH_S = 2.0
_NOT_THE_WRITER = "This instance of the broker does not write."
_LOST = "The broker that was to carry it out does not write any more."


class Writer:
    """Every instance has one; at any time one of them at most reigns. Belongs to one event loop.

    It keeps the lease from `start` to `stop`. `make_desk` makes an empty desk; `first_accounts` are opened if the store
    has none of that name; `clock` is the time of day, ms UTC; `most_in_flight`: commands that wait for their answers.
    """

    def __init__(
        self,
        journal: JournalPort,
        lease: LeaseKeeping,
        bus: Bus,
        market: Market,
        make_desk: Callable[[], DeskPort],
        *,
        clock: Callable[[], int],
        first_accounts: Sequence[str] = (),
        tick_s: float = TICK_S,
        most_in_flight: int = MOST,
    ) -> None:
        self.news = WriterNews()
        self.identity = StoreIdentity(journal)
        self.look = StoreLook(journal, self.identity, self.news)
        self.telling = Telling(bus, self.identity)
        self._journal = journal
        self._lease = lease
        self._market = market
        self._make_desk = make_desk
        self._first_accounts = tuple(first_accounts)
        self._tick_s = tick_s
        self._threads = WriterThreads()
        self._commits = CommitWatch(journal, clock)
        self._trial: asyncio.Future[None] | None = None
        self._told = ""
        self._around = Surroundings(
            self._commits, market, self._threads, lease.fence, clock, self.telling, most_in_flight
        )
        self._counter = Counter(bus, self.submit)
        # The one that executes, and the one whose last commit may still be under way.
        self._reign: Reign | None = None
        self._last: Reign | None = None
        self._epoch: int | None = None
        self._trouble = ""
        self._holding: set[asyncio.Task[None]] = set()
        self._stopping = False

    @property
    def is_ready(self) -> bool:
        """Whether commands are executed here, now. Asks the clock: right also in a process that was paused."""
        reign = self._reign
        return reign is not None and not reign.over.done() and self._lease.held and not self._stopping

    @property
    def holds_lease(self) -> bool:
        """Whether it is for this instance to write, be it ready or not."""
        return self._epoch is not None and self._lease.held

    @property
    def trouble(self) -> str:
        """What keeps the holder of the lease from writing, for people; empty if nothing does."""
        return self._trouble

    @property
    def problem(self) -> str:
        """What keeps this instance, which holds the lease, from storing orders, for everybody; empty if nothing does.

        Unlike `trouble` it does not say where the store is.
        """
        if not self.holds_lease:
            return ""
        return self._commits.problem or (NO_STORE if self._trouble else "")

    @property
    def distant(self) -> str:
        """Who writes, out of this bus's reach, for people; empty if that is not so, or not known."""
        return "" if self.holds_lease else self.look.distant

    @property
    def unvalued(self) -> str:
        """What is not known of accounts although this instance has been writing for a while, for everybody."""
        overdue = self._reign.overdue if self._reign is not None else 0
        return f"The market of {overdue} of the symbols that are held is not known yet." if overdue else ""

    def start(self) -> None:
        """Begin to look for the lease, in the running event loop."""
        self._market.on_market(self._on_market)
        self._market.on_price(self._on_price)
        self._lease.on_change(self._on_lease)
        self._lease.start()

    async def stop(self) -> None:
        """Take nothing more, finish what was begun, give the lease back and say so. For good; once is enough."""
        if self._stopping:
            return
        self._stopping = True
        epoch = self._epoch
        if self._reign is not None:
            await _finish(self._reign)
        try:
            await self._lease.release()
        except StoreError as error:
            logger.warning("the lease could not be given back; others take over when it has run out: %s", error)
        self._drop()
        if self._holding:
            await asyncio.wait(self._holding)
        if self._last is not None:
            await self._last.clear()
        if self._trial is not None:
            await asyncio.wait({self._trial}, timeout=_FINISH_S)
        if epoch is not None:
            self.telling.left(epoch)
        await self.telling.stop()
        self._threads.close()

    def wake(self) -> None:
        """Look for the lease now: its holder says that it left."""
        self._lease.wake()

    def announce(self) -> None:
        """Say who writes, if it is for this one, be it ready or not."""
        if self._epoch is not None and self.holds_lease and not self._stopping:
            self._told = self.problem
            self.telling.here(self._epoch, self._told)

    def submit(self, call: Call) -> asyncio.Future[Reply]:
        """As Reign.submit; raises Again also where this is not the writer, StoreFailed where it cannot."""
        if self._reign is None or not self.is_ready:
            raise StoreFailed(self._trouble) if self._trouble else Again(_NOT_THE_WRITER)
        return self._reign.submit(call)

    def _on_market(self, view: MarketView) -> None:
        if self._reign is not None and self._lease.held:
            self._reign.on_market(view)

    def _on_price(self, symbol: str, quote: Quote | None) -> None:
        if self._reign is not None and self._lease.held:
            self._reign.on_price(symbol, quote)

    def _on_lease(self, epoch: int | None) -> None:
        """In the event loop, whenever the lease was got or lost."""
        self._drop()
        self._epoch = epoch
        if epoch is not None and not self._stopping:
            task = asyncio.create_task(self._hold(epoch), name=f"broker writer, epoch {epoch}")
            self._holding.add(task)
            task.add_done_callback(self._held)

    def _drop(self) -> None:
        """Execute nothing more, at once."""
        self._trouble = ""
        if self._reign is not None:
            self._reign.end(Again(_LOST))
            self._reign = None
            self._market.watch(frozenset())
        if self._epoch is not None:
            self.news.doubt(self._epoch)
        for task in self._holding:
            task.cancel()

    def _held(self, task: asyncio.Task[None]) -> None:
        self._holding.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("%s: stopped by an error", task.get_name(), exc_info=error)

    async def _hold(self, epoch: int) -> None:
        """Load and reign, again after every failure, until this is cancelled: the lease is gone."""
        pause = _FIRST_PAUSE_S
        try:
            if self.identity.known is not None:
                # Whoever comes while the accounts are loaded is told to wait, rather than that nobody is there.
                await self._counter.open(self.identity.known, epoch)
            while True:
                reign = await self._begin(epoch)
                if reign is not None:
                    await self._attend(reign)
                    pause = _FIRST_PAUSE_S if reign.has_written else pause
                self._tell_problem()
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE_S)
        finally:
            await self._counter.close()

    async def _begin(self, epoch: int) -> Reign | None:
        """Load the accounts and begin to execute; None if the store does not let us."""
        if self._last is not None:
            # What it left in the store's hands belongs to what is loaded.
            await self._last.clear()
        try:
            store_id, desk, states = await asyncio.get_running_loop().run_in_executor(self._threads.commit, self._load)
        except StoreError as error:
            self._complain(str(error))
            return None
        except Exception as error:  # A boundary: rows that nobody can read are told of, and do not end the process.
            logger.exception("the accounts cannot be loaded")
            self._trouble = f"The accounts cannot be loaded: {error}"
            return None
        self._trouble = ""
        self._reign = self._last = Reign(desk, states, self._around)
        self.news.know(epoch)
        await self._counter.open(self.identity.found(store_id), epoch)
        self.announce()
        return self._reign

    def _load(self) -> tuple[str, DeskPort, Sequence[AccountState]]:
        """In the thread for commits, so that none is under way."""
        store_id, states, desk = self._journal.identify(), self._journal.load(), self._make_desk()
        for state in states:
            desk.add(state)
        for account_id in self._first_accounts:
            if not desk.has(account_id):
                desk.open(account_id)
        return store_id, desk, states

    async def _attend(self, reign: Reign) -> None:
        """Tick until the reign is over."""
        while not reign.over.done():
            await asyncio.wait({reign.over}, timeout=self._tick_s)
            try:
                await reign.tick()
                self._tell_problem()
                self._try_commit()
            except Exception:  # A boundary: a defect must not leave the lease with one who does nothing.
                logger.exception("the writer's tick failed")
                reign.end(Again(_LOST))
        self._trouble = str(reign.over.result())
        self._reign = None

    def _tell_problem(self) -> None:
        """When it is another than the others know of."""
        if self.problem != self._told:
            self.announce()

    def _try_commit(self) -> None:
        """After a failure, for there may be no orders that would show that it is over."""
        if self._commits.failed and (self._trial is None or self._trial.done()):
            thread = self._threads.commit
            self._trial = asyncio.get_running_loop().run_in_executor(thread, self._commits.trial, self._lease.fence)

    def _complain(self, problem: str) -> None:
        """Once per problem: it is tried again, and again."""
        if problem != self._trouble:
            logger.warning("the accounts cannot be loaded: %s", problem)
        self._trouble = problem


async def _finish(reign: Reign) -> None:
    try:
        async with asyncio.timeout(_FINISH_S):
            await reign.finish()
    except TimeoutError:
        logger.error("commands are still being written after %.0f s and are given up", _FINISH_S)
