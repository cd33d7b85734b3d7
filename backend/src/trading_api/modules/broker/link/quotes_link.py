"""Keeps the link to the datafeed: connects, notices its end, tries again."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Protocol

from trading_api.models.broker import ConnectionStatus
from trading_api.modules.broker.link.backoff import Backoff
from trading_api.modules.broker.link.clock import wall_clock
from trading_api.modules.broker.link.connection import LinkEndedError, Send, attend
from trading_api.modules.broker.link.state import LinkState
from trading_api.shared.tasks import end_task

logger = logging.getLogger(__name__)

# Broker and datafeed start at the same time: for so long, a datafeed that is not there yet is no failure, and one that
# said it restarts is not missed.
START_MS = 5000
# Whoever asks is told so long after the start that there is no link yet.
QUIET_MS = 1000
# While the datafeed is awaited it is tried at least so often.
EAGER_S = 0.25
# A connection that lasted so long was a good one; the next attempt after it need not wait.
GOOD_MS = 5000
NOT_DEPLOYED = "No datafeed is deployed, so there are no quotes to trade on."
_UNLINKED = "The broker is not connected to the datafeed yet."
Attend = Callable[[str, Callable[[Send], None], Callable[[str], None]], Awaitable[None]]


class Traffic(Protocol):
    """What goes over the link. It is called in the event loop."""

    def opened(self, url: str, send: Send) -> None:
        """There is a connection to this instance; `send` sends a text over it."""
        ...

    def received(self, text: str) -> None:
        """A message came. Raises LinkEndedError when it is such that the connection is to be closed."""
        ...

    def closed(self) -> None:
        """The connection has ended, or an attempt has failed."""
        ...


class QuotesLink:
    """The link and its state. All calls come from the event loop's thread."""

    def __init__(
        self,
        urls: Sequence[str],
        *,
        attend: Attend = attend,
        clock: Callable[[], int] = wall_clock,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        backoff: Backoff | None = None,
    ) -> None:
        """`urls` are the datafeed's instances, tried in turn; with none there is nothing to link to.

        The rest is for tests: `attend` holds one connection, `clock` tells ms UTC, `sleep` takes seconds.
        """
        self._urls = tuple(urls)
        self._attend = attend
        self._clock = clock
        self._sleep = sleep
        self._backoff = backoff or Backoff()
        self._listeners: dict[str, Callable[[LinkState], None]] = {}
        self._traffic: Traffic | None = None
        self._task: asyncio.Task[None] | None = None
        self._awaited_until = 0
        self._failure = ""
        self._state = LinkState(ConnectionStatus.DISCONNECTED, NOT_DEPLOYED, clock())

    @property
    def urls(self) -> tuple[str, ...]:
        """The datafeed's instances."""
        return self._urls

    @property
    def is_deployed(self) -> bool:
        """Whether there is a datafeed to link to."""
        return bool(self._urls)

    @property
    def state(self) -> LinkState:
        """How the link fares now."""
        return self._state

    @property
    def problem(self) -> str:
        """What is missing of a datafeed that is deployed, for people; empty while it is linked, or just looked for."""
        if not self.is_deployed or self._state.status is ConnectionStatus.CONNECTED:
            return ""
        if self._state.status is ConnectionStatus.CONNECTING:
            return self._failure or _UNLINKED if self._clock() - self._state.since >= QUIET_MS else ""
        return self._state.message

    def listen(self, name: str, listener: Callable[[LinkState], None]) -> None:
        """Tell `listener` the state now, and every change from now on."""
        self._listeners[name] = listener
        listener(self._state)

    def unlisten(self, name: str) -> None:
        """Tell it no more."""
        self._listeners.pop(name, None)

    def carry(self, traffic: Traffic) -> None:
        """Use the link for this. Before it is started."""
        self._traffic = traffic

    def start(self) -> None:
        """Begin to connect, in a task of its own."""
        if self._urls and self._task is None:
            self._awaited_until = self._clock() + START_MS
            self._failure = ""
            self._change(ConnectionStatus.CONNECTING, "The broker connects to the datafeed.")
            self._task = asyncio.create_task(self._run(), name="quotes link")

    async def stop(self) -> None:
        """End the link."""
        task, self._task = self._task, None
        await end_task(task)

    async def _run(self) -> None:
        for url in cycle(self._urls):
            try:
                await self._attend(url, partial(self._opened, url), self._received)
            except LinkEndedError as ended:
                self._lost(ended)
            except Exception:  # The boundary of the task: whatever happens, the link is tried again.
                logger.exception("the link to the datafeed failed")
                self._change(
                    ConnectionStatus.ERROR, "The link to the datafeed failed; the broker's log has the reason."
                )
            finally:
                if self._traffic is not None:
                    self._traffic.closed()
            pause = self._backoff.next()
            await self._sleep(min(pause, EAGER_S) if self._clock() < self._awaited_until else pause)

    def _opened(self, url: str, send: Send) -> None:
        self._change(ConnectionStatus.CONNECTED, "The broker is connected to the datafeed.")
        if self._traffic is not None:
            self._traffic.opened(url, send)

    def _received(self, text: str) -> None:
        if self._traffic is not None:
            self._traffic.received(text)

    def _lost(self, ended: LinkEndedError) -> None:
        """A connection ended, or an attempt failed."""
        now, self._failure = self._clock(), str(ended)
        if self._state.status is ConnectionStatus.CONNECTED and now - self._state.since >= GOOD_MS:
            self._backoff.reset()
        if ended.refused:
            self._awaited_until = 0
        elif ended.announced:
            self._awaited_until = now + START_MS
        expected = self._state.status is not ConnectionStatus.CONNECTED and now < self._awaited_until
        if ended.refused:
            self._change(ConnectionStatus.ERROR, str(ended))
        elif ended.announced or not expected:
            self._change(ConnectionStatus.DISCONNECTED, str(ended), expected=ended.announced)

    def _change(self, status: ConnectionStatus, message: str, *, expected: bool = False) -> None:
        """Enter a state, unless it is the one that is."""
        if (status, message) == (self._state.status, self._state.message):
            return
        self._state = LinkState(status, message, self._clock())
        log = logger.warning if self._state.is_failure and not expected else logger.info
        log("quotes: %s", message)
        for listener in tuple(self._listeners.values()):
            listener(self._state)
