"""Commands from any instance to the writer, and their answers back, whatever happens on the way."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from trading_api.modules.broker.domain.requests import Request
from trading_api.modules.broker.writer import subjects
from trading_api.modules.broker.writer.call import Answer, AskEquity, Call, EquityNow, Reply
from trading_api.modules.broker.writer.codec import dump_call
from trading_api.modules.broker.writer.errors import Again, CommandFailed, NoWriter, Overloaded, StoreFailed
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
_SLOTS = 128
"""Requests of this instance that are on the bus at once: a server takes 256."""
_MOST_AWAY = 1024
_NOBODY = "Nobody carries out commands at the moment."
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
        self._subscriptions: list[Subscription] = []

    async def start(self) -> None:
        """Hear of the writer's comings and goings. The writer itself is started apart."""
        self._bus.on_reconnect(self._introduce)
        self._subscriptions = [
            await self._bus.subscribe(subjects.WRITER, self._hear),
            await self._bus.subscribe(subjects.WHO_WRITES, self._tell),
        ]
        self._writer.telling.who_writes()

    async def stop(self) -> None:
        """Hear no more. To be called before the writer stops, whose own leaving is not its business."""
        subscriptions, self._subscriptions = self._subscriptions, []
        for subscription in subscriptions:
            await subscription.unsubscribe()

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
                raise NoWriter(str(reason)) from None
            call = replace(call, retry=True)
            await self._news.change(min(pause, left))
            pause = min(2 * pause, _LAST_PAUSE_S)

    async def _send(self, call: Call, deadline: float) -> Reply:
        """One attempt over the bus. Raises Again, or what the writer says."""
        epoch = self._news.epoch
        if epoch is None:
            self._ask_who_writes()
            raise Again(_NOBODY)
        if self._away >= _MOST_AWAY:
            raise Overloaded(_OVERLOADED)
        self._away += 1
        try:
            async with self._slots:
                return await self._ask(call, epoch, deadline - asyncio.get_running_loop().time())
        finally:
            self._away -= 1

    async def _ask(self, call: Call, epoch: int, left: float) -> Reply:
        if left <= 0:
            raise Again(_NOBODY)
        try:
            data = await self._bus.request(
                subjects.commands(epoch), dump_call(call), timeout=min(self._attempt_s, left)
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
        """Now and then: everybody who waits would like to know."""
        now = asyncio.get_running_loop().time()
        if now - self._asked >= _ASK_EVERY_S:
            self._asked = now
            self._writer.telling.who_writes()

    async def _hear(self, message: Message) -> None:
        epoch, left = load_news(message.data)
        self._news.hear(epoch, left=left)
        if left:
            self._writer.wake()

    async def _tell(self, _message: Message) -> None:
        self._writer.announce()

    async def _introduce(self) -> None:
        """The bus is back: who writes may have changed."""
        self._writer.announce()
        self._writer.telling.who_writes()
