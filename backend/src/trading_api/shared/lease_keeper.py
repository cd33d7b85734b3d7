"""Keeps a lease from an event loop: looks for it, beats while it is held, tells when that changes."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from sqlalchemy import Connection

from trading_api.shared.lease import Lease
from trading_api.shared.store.errors import StoreError

LOOK_EVERY_S = 0.1
_BEATS_PER_TTL = 3

logger = logging.getLogger(__name__)

OnChange = Callable[[int | None], None]
"""Called in the event loop with the epoch when the lease is got, and with None when it is not held any more."""


def holder_name() -> str:
    """Who this process is, told apart from every other one: host, process id, something random."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


class LeaseKeeper:
    """Runs one Lease. The store is waited for in a thread of its own, so that slow work of others delays no beat.

    Beats are the event loop's work: a process whose loop hangs loses the lease, as it does nothing with it.
    """

    def __init__(self, lease: Lease, *, look_every: float = LOOK_EVERY_S) -> None:
        self._lease = lease
        self._look_every = look_every
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"lease-{lease.name}")
        self._callbacks: list[OnChange] = []
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: int | None = None
        self._complaint = ""

    @property
    def held(self) -> bool:
        """Whether nobody else can hold it now; asks the clock, so it is right also in a process that was paused."""
        return self._lease.held

    @property
    def epoch(self) -> int | None:
        """The number of the present holding; None while it is not held."""
        return self._lease.epoch if self._lease.held else None

    def fence(self, connection: Connection) -> None:
        """As Lease.fence; for any thread."""
        self._lease.fence(connection)

    def on_change(self, callback: OnChange) -> None:
        """Have `callback` called for every change from now on. It must not raise, nor wait."""
        self._callbacks.append(callback)

    def start(self) -> None:
        """Begin to look for the lease, in the running event loop."""
        assert self._task is None
        self._task = asyncio.create_task(self._keep(), name=f"lease {self._lease.name}")
        self._task.add_done_callback(_report)

    def wake(self) -> None:
        """Look now: somebody says that the lease was given back."""
        self._woken.set()

    async def release(self) -> None:
        """Stop, and give the lease back; returns when that is written, or raises StoreError if it cannot be.

        Callbacks hear None first: whoever does the work should stop it before another one begins.
        """
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        try:
            self._tell(None)
            # Waits for a look or a beat that is under way: there is one thread.
            await self._in_thread(self._lease.release)
        finally:
            self._thread.shutdown(wait=False)

    async def _keep(self) -> None:
        while True:
            await self._step()
            self._tell(self.epoch)
            await self._pause()

    async def _step(self) -> None:
        """One look or beat. While the store does not answer, a holder whose time is over says so.

        No beat is needed while fenced transactions are beats themselves.
        """
        if self._rest() > 0:
            return
        work = self._lease.look if self._lease.epoch is None else self._lease.beat
        running = self._in_thread(work)
        # It may fail after this task was cancelled, and nobody asks then.
        running.add_done_callback(_noticed)
        while self._told is not None and not running.done():
            await asyncio.wait({running}, timeout=self._lease.sure_for)
            self._tell(self.epoch)
        try:
            await running
        except StoreError as error:
            self._complain(str(error))
        else:
            self._complain("")

    async def _pause(self) -> None:
        if self._lease.epoch is not None:
            between, sure_for = self._lease.ttl / _BEATS_PER_TTL, self._lease.sure_for
            await asyncio.sleep(self._rest() or (min(between, sure_for) if sure_for else between))
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), self._look_every)
        self._woken.clear()

    def _rest(self) -> float:
        """Seconds until the next beat is due; 0: it is, or there is nothing to keep."""
        return max(0.0, self._lease.sure_for - self._lease.ttl * (1 - 1 / _BEATS_PER_TTL))

    def _in_thread(self, work: Callable[[], bool | None]) -> asyncio.Future[bool | None]:
        return asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _tell(self, epoch: int | None) -> None:
        if epoch == self._told:
            return
        self._told = epoch
        state = "not held any more" if epoch is None else f"held, epoch {epoch}"
        logger.info("lease %s: %s", self._lease.name, state)
        for callback in self._callbacks:
            callback(epoch)

    def _complain(self, problem: str) -> None:
        """Once per problem: a store that is away would be complained about ten times a second."""
        if problem and problem != self._complaint:
            logger.warning("lease %s: %s", self._lease.name, problem)
        self._complaint = problem


def _noticed(work: asyncio.Future[bool | None]) -> None:
    if not work.cancelled():
        work.exception()


def _report(task: asyncio.Task[None]) -> None:
    """A keeper ends when it is told to; anything else is a mistake in the program that must not go unseen."""
    if not task.cancelled() and (error := task.exception()):
        logger.error("%s: stopped by an error", task.get_name(), exc_info=error)
