"""Commands from any instance to the writer, and their answers back, whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from trading_api.modules.broker.domain.requests import Request
from trading_api.modules.broker.writer.call import Answer, AskEquity, Call, EquityNow, Reply
from trading_api.modules.broker.writer.codec import dump_call
from trading_api.modules.broker.writer.errors import Again, CommandFailed, NoWriter, Overloaded, StoreFailed, Unreached
from trading_api.modules.broker.writer.subjects import Subjects
from trading_api.modules.broker.writer.wire import load_outcome
from trading_api.modules.broker.writer.writer import Writer
from trading_api.modules.broker.writer.writer_news import load_news
from trading_api.shared.bus import (
    Bus,
    BusError,
    BusTimeout,
    Message,
    MessageTooLarge,
    NoResponder,
    ResponderFailed,
    Subscription,
)

logger = logging.getLogger(__name__)

DEADLINE_S = 10.0
ATTEMPT_S = 1.0
"""A writer that has not answered over the bus by then may be gone; one that is merely slow is asked again, and knows
the command."""
_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.02, 0.25
_ASK_EVERY_S = 0.05
_WATCH_S = 1.0
_SLOTS = 128
"""Requests of this instance that are on the bus at once: a server takes 256."""
_MOST_AWAY = 1024
_NOBODY = "Nobody carries out commands at the moment."
_NO_BUS = "The bus is away, so nobody could be asked to carry this out."
_OVERLOADED = "Too many commands wait for the broker; nothing of this one was done."


class Commands:
    """Executes each command at most once, under its id, wherever the writer is. Belongs to one event loop."""

    def __init__(
        self, writer: Writer, bus: Bus, *, deadline_s: float = DEADLINE_S, attempt_s: float = ATTEMPT_S
    ) -> None:
        self._writer = writer
        self._bus = bus
        self._news = writer.news
        self._deadline_s = deadline_s
        self._attempt_s = attempt_s
        self._slots = asyncio.Semaphore(_SLOTS)
        self._away = 0
        self._asked = -_ASK_EVERY_S
        self._followed: Subjects | None = None
        self._subscriptions: list[Subscription] = []
        self._watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Hear of the writer's comings and goings, as soon as the store says who it is. The writer is started apart."""
        self._bus.on_reconnect(self._introduce)
        await self._follow(await self._writer.identity.patiently())
        self._watching = asyncio.create_task(self._watch(), name="broker's watch for the writer")

    async def stop(self) -> None:
        """Hear no more. To be called before the writer stops, whose own leaving is not its business."""
        watching, self._watching = self._watching, None
        if watching is not None:
            watching.cancel()
            await asyncio.wait({watching})
        await self._unfollow()
        await self._writer.look.stop()

    async def execute(self, account_id: str, request: Request, *, command_id: str, body_hash: str) -> Answer:
        """Have a request carried out; returns once what it did is durable.

        `command_id` is the caller's own for each command, or "key:" and the client's key, under which the answer is
        kept; `body_hash` tells different requests under one key apart. A preview stores nothing. Raises NoWriter when
        10 s are over, Overloaded (a NoWriter) at once, KeyReused, CommandFailed.
        """
        reply = await self._carry(Call(account_id, request, command_id, body_hash), self._deadline_s)
        assert not isinstance(reply, EquityNow), "no request of the domain asks for it"
        return reply

    async def equity(self, account_id: str, *, patience_s: float) -> EquityNow:
        """What an account is worth now. Raises NoWriter if nobody tells within `patience_s` seconds."""
        reply = await self._carry(Call(account_id, AskEquity(), "", ""), patience_s)
        assert isinstance(reply, EquityNow)
        return reply

    async def _carry(self, call: Call, patience_s: float) -> Reply:
        """Try until there is an answer, or no time left."""
        loop = asyncio.get_running_loop()
        deadline, pause = loop.time() + patience_s, _FIRST_PAUSE_S
        reason = Again(_NOBODY)
        while True:
            try:
                if self._writer.holds_lease:
                    return await self._writer.submit(call)
                return await self._send(call, deadline)
            except StoreFailed as failed:
                reason = failed
            except Again:
                # What was wrong with the store says more than that nobody is there since.
                pass
            left = deadline - loop.time()
            if left <= 0:
                raise self._unmet(reason) from None
            call = replace(call, retry=True)
            await self._news.change(min(pause, left))
            pause = min(2 * pause, _LAST_PAUSE_S)

    def _unmet(self, reason: Again) -> NoWriter:
        """Why nobody carried it out in time."""
        if distant := self._writer.distant:
            return Unreached(distant)
        if isinstance(reason, StoreFailed) or self._bus.connected:
            return NoWriter(str(reason))
        return NoWriter(_NO_BUS)

    async def _send(self, call: Call, deadline: float) -> Reply:
        """One attempt over the bus. Raises Again, or what the writer says."""
        epoch, subjects = self._news.epoch, self._writer.identity.known
        if epoch is None or subjects is None:
            self._ask_who_writes()
            raise Again(_NOBODY)
        if self._away >= _MOST_AWAY:
            raise Overloaded(_OVERLOADED)
        self._away += 1
        try:
            async with self._slots:
                return await self._ask(call, subjects, epoch, deadline - asyncio.get_running_loop().time())
        finally:
            self._away -= 1

    async def _ask(self, call: Call, subjects: Subjects, epoch: int, left: float) -> Reply:
        if left <= 0:
            raise Again(_NOBODY)
        try:
            data = await self._bus.request(
                subjects.commands(epoch), dump_call(call, subjects.store_id), timeout=min(self._attempt_s, left)
            )
        except MessageTooLarge as error:
            raise CommandFailed("The request is too large.") from error
        except (NoResponder, BusTimeout, ResponderFailed):
            self._news.doubt(epoch)
            raise Again(_NOBODY) from None
        except BusError:
            raise Again(_NOBODY) from None
        return load_outcome(data)

    def _ask_who_writes(self) -> None:
        """Now and then: everybody who waits would like to know. The store knows too, whatever was heard."""
        self._writer.look.begin()
        now = asyncio.get_running_loop().time()
        if now - self._asked >= _ASK_EVERY_S:
            self._asked = now
            self._writer.telling.who_writes()

    async def _follow(self, subjects: Subjects) -> None:
        """Hear what is said about this store."""
        await self._unfollow()
        for subject, handler in ((subjects.writer, self._hear), (subjects.who_writes, self._tell)):
            self._subscriptions.append(await self._bus.subscribe(subject, handler))
        self._followed = subjects
        self._writer.telling.who_writes()

    async def _unfollow(self) -> None:
        self._followed = None
        while self._subscriptions:
            await self._subscriptions.pop().unsubscribe()

    async def _watch(self) -> None:
        """Nobody may ask for anything, and yet this instance must come to know who writes, and to which store."""
        while True:
            await asyncio.sleep(_WATCH_S)
            if not self._news.reached and not self._writer.holds_lease:
                self._ask_who_writes()
            subjects = self._writer.identity.known
            try:
                if subjects is not None and subjects != self._followed:
                    await self._follow(subjects)
            except BusError as error:
                logger.debug("not subscribed: %s", error)

    async def _hear(self, message: Message) -> None:
        told = load_news(message.data)
        self._news.hear(told.epoch, left=told.left, trouble=told.trouble)
        if told.left:
            self._writer.wake()

    async def _tell(self, _message: Message) -> None:
        self._writer.look.carried()
        self._writer.announce()

    async def _introduce(self) -> None:
        """The bus is back: who writes may have changed."""
        self._writer.announce()
        self._writer.telling.who_writes()
