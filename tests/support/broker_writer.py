"""Instances of the broker's writer side by side in one event loop, with everything around them in memory."""

import asyncio
import itertools
import secrets
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar, cast

from sqlalchemy import Connection
from support.garbage import collected

from trading_api.models.broker import OrderType, Side
from trading_api.modules.broker.domain.account import AccountState, new_account
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.apply import apply
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.events import Event
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.requests import PlaceOrder, Request
from trading_api.modules.broker.journal.batch import Batch, CommandAnswer
from trading_api.modules.broker.journal.standing import Standing
from trading_api.modules.broker.market.port import Listener as MarketListener
from trading_api.modules.broker.market.port import MarketUnavailable, PriceListener, UnknownSymbol
from trading_api.modules.broker.writer.call import Answer, CallKey
from trading_api.modules.broker.writer.commands import Commands
from trading_api.modules.broker.writer.in_flight import MOST
from trading_api.modules.broker.writer.ports import Fence, JournalPort, LeaseKeeping
from trading_api.modules.broker.writer.writer import Writer
from trading_api.shared.bus import Bus, MemoryBus
from trading_api.shared.lease import LeaseLost
from trading_api.shared.store.errors import StoreError

T = TypeVar("T")
ACCOUNT = "DEMO-ACCOUNT"
NOW_MS = 1_704_153_600_000
NO_CONNECTION = cast("Connection", None)
_PATIENCE_S = 60.0


async def eventually(condition: Callable[[], T], what: str = "the condition") -> T:
    """The first truthy value of `condition`; AssertionError after a minute."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while not (value := condition()):
        assert asyncio.get_running_loop().time() < deadline, f"gave up waiting for {what}"
        await asyncio.sleep(0.002)
    return value


class MemoryJournal:
    """The journal as the writer and the streams know it, without a disk.

    `failures` are raised by the next commits, one each (None: that one goes well), `after` by one that has written;
    `gate` closed holds commits up.
    """

    def __init__(self, terms: AccountTerms | None = None) -> None:
        self.events: dict[str, list[Event]] = {}
        self.store_id = secrets.token_hex(4)
        self.leases = LeaseTable()
        self.unreadable = ""
        self.stored: dict[CallKey, CommandAnswer] = {}
        self.batches: list[Batch] = []
        self.failures: list[Exception | None] = []
        self.after: list[Exception | None] = []
        self.load_failures: list[Exception] = []
        self.loads = self.reads = self.lookups = self.trials = 0
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self.under_way: list[object] = []
        self._terms = terms or AccountTerms()
        self._lock = threading.Lock()

    def load(self) -> list[AccountState]:
        self.loads += 1
        if self.load_failures:
            raise self.load_failures.pop(0)
        return [self._replayed(account_id) for account_id in self.events]

    def commit(self, batch: Batch, fence: Fence) -> None:
        # Whose it is: two instances may both be here, of which the fence lets one through.
        owner = getattr(fence, "__self__", fence)
        assert owner not in self.under_way, "one transaction at a time"
        self.under_way.append(owner)
        try:
            self.entered.set()
            assert self.gate.wait(_PATIENCE_S)
            if self.failures and (failure := self.failures.pop(0)):
                raise failure
            with self._lock:
                fence(NO_CONNECTION)
                self._write(batch)
            if self.after and (failure := self.after.pop(0)):
                raise failure
        finally:
            self.under_way.remove(owner)

    def answers(self, keys: Collection[CallKey]) -> Mapping[CallKey, CommandAnswer]:
        self.lookups += 1
        return {key: self.stored[key] for key in keys if key in self.stored}

    def events_after(self, account_id: str, seq: int, kinds: Collection[type[Event]] | None, limit: int) -> list[Event]:
        self.reads += 1
        later = self.events.get(account_id, [])[seq:]
        return [event for event in later if kinds is None or type(event) in kinds][:limit]

    def last_seqs(self, account_ids: Collection[str]) -> dict[str, int]:
        return {each: len(self.events[each]) for each in account_ids if each in self.events}

    def identify(self) -> str:
        if self.unreadable:
            raise StoreError(self.unreadable)
        return self.store_id

    def standing(self) -> Standing | None:
        holder = self.leases.holder
        return Standing(self.identify(), self.leases.epoch, holder.name if holder else None, self.leases.beat)

    def trial(self, fence: Fence) -> None:
        self.trials += 1
        self.commit(Batch(), fence)

    def _write(self, batch: Batch) -> None:
        if any(answer.key in self.stored for answer in batch.answers):
            raise StoreError("a command was answered before")
        ends = {account_id: len(events) for account_id, events in self.events.items()}
        for event in batch.events:
            if event.seq != ends.get(event.account_id, 0) + 1:
                raise StoreError(f"event {event.seq} does not follow")
            ends[event.account_id] = event.seq
        for event in batch.events:
            self.events.setdefault(event.account_id, []).append(event)
        self.stored.update((answer.key, answer) for answer in batch.answers)
        self.batches.append(batch)

    def _replayed(self, account_id: str) -> AccountState:
        state = new_account(account_id, self._terms)
        for event in self.events[account_id]:
            apply(state, event)
        return state


class LeaseTable:
    """One lease and its epochs, for MemoryLeases that compete for it."""

    def __init__(self) -> None:
        self.epoch = self.beat = 0
        self.holder: MemoryLease | None = None
        self.waiting: list[MemoryLease] = []

    def give(self, to: "MemoryLease") -> None:
        """Hand it over, whoever had it; that one has not noticed yet."""
        self.epoch += 1
        self.holder = to
        to.get(self.epoch)

    def offer(self) -> None:
        """Give it to one who waits, if it is free."""
        if self.holder is None and self.waiting:
            self.give(self.waiting[0])


class MemoryLease:
    """A LeaseKeeping whose fate the test decides."""

    def __init__(self, table: LeaseTable) -> None:
        self.table = table
        self.name = "host:1:abcd"
        self.own: int | None = None
        self.paused = False
        self.woken = 0
        self._told: list[Callable[[int | None], None]] = []

    @property
    def held(self) -> bool:
        return self.own is not None and not self.paused

    def fence(self, _connection: Connection) -> None:
        if self.own is None or self.table.epoch != self.own or self.table.holder is not self:
            raise LeaseLost("the lease was taken")

    def on_change(self, callback: Callable[[int | None], None]) -> None:
        self._told.append(callback)

    def start(self) -> None:
        self.table.waiting.append(self)
        self.table.offer()

    def wake(self) -> None:
        self.woken += 1
        self.table.offer()

    async def release(self) -> None:
        if self in self.table.waiting:
            self.table.waiting.remove(self)
        self.lose()
        if self.table.holder is self:
            self.table.holder = None

    def get(self, epoch: int) -> None:
        """It is ours."""
        self.own = epoch
        self._tell(epoch)

    def lose(self) -> None:
        """It is not, and this one has noticed."""
        if self.own is not None:
            self.own = None
            self._tell(None)

    def _tell(self, epoch: int | None) -> None:
        for callback in self._told:
            callback(epoch)


class MemoryMarket:
    """A Market whose quotes the test makes. Symbols are known from their first quote, or from `known`."""

    def __init__(self) -> None:
        self.views: dict[str, MarketView] = {}
        self.away: str = ""
        self.looks: list[str] = []
        self.watched: frozenset[str] = frozenset()
        self.look_gate: asyncio.Event | None = None
        self.feed_ms: int | None = None
        self.hurried: list[str] = []
        self._callbacks: list[MarketListener] = []
        self._price_callbacks: list[PriceListener] = []

    async def price(self, symbols: Collection[str]) -> None:
        if self.look_gate is not None:
            await self.look_gate.wait()
        if self.away:
            raise MarketUnavailable(self.away)
        for symbol in symbols:
            view = self.views.get(symbol)
            self.tell_price(symbol, view.quote if view else None)

    async def look(self, symbol: str) -> MarketView:
        self.looks.append(symbol)
        if self.look_gate is not None:
            await self.look_gate.wait()
        if self.away:
            raise MarketUnavailable(self.away)
        if symbol not in self.views:
            raise UnknownSymbol
        return self.views[symbol]

    def view(self, symbol: str) -> MarketView | None:
        return self.views.get(symbol)

    def now_ms(self) -> int | None:
        return self.feed_ms

    def watch(self, symbols: frozenset[str]) -> None:
        self.watched = symbols

    def hurry(self, symbol: str) -> None:
        self.hurried.append(symbol)

    def on_price(self, callback: PriceListener) -> None:
        self._price_callbacks.append(callback)

    def on_market(self, callback: MarketListener) -> None:
        self._callbacks.append(callback)

    def start(self) -> None:
        """Nothing to connect to."""

    async def stop(self) -> None:
        """Nothing to end."""

    def tell_price(self, symbol: str, quote: Quote | None) -> None:
        """Everybody is told, though it is not known yet how the symbol trades."""
        for callback in self._price_callbacks:
            callback(symbol, quote)

    def know(self, symbol: str, bid: str, ask: str, *, now_ms: int = NOW_MS) -> MarketView:
        """A symbol has this quote from now on; nobody is told."""
        instrument = TradedInstrument(symbol, tick=Decimal("0.01"), step=Decimal("0.0001"))
        quote = Quote(symbol, Decimal(bid), Decimal(ask), now_ms)
        view = MarketView(instrument, quote, stale=False, is_open=True, session_end_ms=None, now_ms=now_ms)
        self.views[symbol] = view
        return view

    def quote(self, symbol: str, bid: str, ask: str, *, now_ms: int = NOW_MS) -> None:
        """The same, and everybody is told."""
        view = self.know(symbol, bid, ask, now_ms=now_ms)
        for callback in self._callbacks:
            callback(view)


class World:
    """What all instances share."""

    def __init__(self, bus: Bus, journal: JournalPort) -> None:
        self.bus = bus
        self.journal = journal
        self.leases = journal.leases if isinstance(journal, MemoryJournal) else LeaseTable()
        self.clock_ms = NOW_MS

    def now_ms(self) -> int:
        return self.clock_ms


@dataclass
class Instance:
    """One process's worth of broker: its writer, its commands, its market."""

    world: World
    lease: LeaseKeeping
    bus: Bus
    market: MemoryMarket
    writer: Writer
    commands: Commands
    ids: Iterator[int] = field(default_factory=itertools.count)

    @property
    def memory_lease(self) -> MemoryLease:
        assert isinstance(self.lease, MemoryLease)
        return self.lease

    async def execute(
        self, request: Request, *, account_id: str = ACCOUNT, command_id: str = "", body_hash: str = "same"
    ) -> Answer:
        """As Commands.execute, with an id of its own."""
        chosen = command_id or f"{id(self)}-{next(self.ids)}"
        return await self.commands.execute(account_id, request, command_id=chosen, body_hash=body_hash)


@asynccontextmanager
async def instance(
    world: World,
    *,
    lease: LeaseKeeping | None = None,
    bus: Bus | None = None,
    market: MemoryMarket | None = None,
    deadline_s: float = 10.0,
    attempt_s: float = 1.0,
    tick_s: float = 1.0,
    most: int = MOST,
    wait: bool = True,
) -> AsyncIterator[Instance]:
    """An instance that runs; with a lease in memory unless one is given. `wait`: until it hears what is said."""
    bus = bus or world.bus
    lease = lease or MemoryLease(world.leases)
    market = market or MemoryMarket()
    writer = Writer(
        world.journal,
        lease,
        bus,
        market,
        Desk,
        clock=world.now_ms,
        first_accounts=[ACCOUNT],
        tick_s=tick_s,
        most_in_flight=most,
    )
    commands = Commands(writer, bus, deadline_s=deadline_s, attempt_s=attempt_s)
    starting = asyncio.ensure_future(commands.start())
    if wait:
        await starting
    writer.start()
    try:
        yield Instance(world, lease, bus, market, writer, commands)
    finally:
        starting.cancel()
        await asyncio.wait({starting})
        await commands.stop()
        await writer.stop()


def limit_buy(symbol: str = "AAPL", qty: str = "1", price: str = "90.00") -> PlaceOrder:
    """An order that rests below a market at 100."""
    return PlaceOrder(symbol, OrderType.LIMIT, Side.BUY, Decimal(qty), limit_price=Decimal(price))


def market_buy(symbol: str = "AAPL", qty: str = "1") -> PlaceOrder:
    """An order that fills at once."""
    return PlaceOrder(symbol, OrderType.MARKET, Side.BUY, Decimal(qty))


Scene = Callable[[World, MemoryJournal], Awaitable[None]]


def play(scene: Scene, terms: AccountTerms | None = None) -> None:
    """Run a scene in a world of its own. Nothing may run on afterwards, nor may asyncio complain."""
    complaints: list[str] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
        bus = MemoryBus()
        await bus.connect()
        journal = MemoryJournal(terms)
        try:
            await scene(World(bus, journal), journal)
        finally:
            journal.gate.set()
            await bus.close()
        await eventually(lambda: len(asyncio.all_tasks()) == 1, f"the end of {asyncio.all_tasks()}")

    with collected():
        asyncio.run(run())
    assert complaints == []
