"""Tells everybody what the writer of this instance has written, and that it is there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from trading_api.modules.broker.domain.events import EquityEvent, Event
from trading_api.modules.broker.writer.announcer import Announcer
from trading_api.modules.broker.writer.event_codec import dump_event
from trading_api.modules.broker.writer.hint import INLINE, dump_hint, hint_of
from trading_api.modules.broker.writer.ports import Listener
from trading_api.modules.broker.writer.store_identity import StoreIdentity
from trading_api.modules.broker.writer.subjects import Subjects
from trading_api.modules.broker.writer.writer_news import dump_news
from trading_api.shared.bus import Bus

logger = logging.getLogger(__name__)


class Telling:
    """A Listener of the writer: those in this instance hear at once, the others over the bus.

    Nothing goes over the bus before the store told who it is.
    """

    def __init__(self, bus: Bus, identity: StoreIdentity) -> None:
        self._identity = identity
        self._announcer = Announcer(bus)
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have it told from now on."""
        self._listeners.append(listener)

    def written(self, account_id: str, events: Sequence[Event]) -> None:
        for listener in self._listeners:
            with _unharmed():
                listener.written(account_id, events)
        # When much is written at once, whoever follows reads it from the log, many events at a time: that is less work.
        self._say(
            lambda subjects: subjects.events(account_id),
            lambda: dump_hint(hint_of(events, inline=0 if self._announcer.is_busy else INLINE)),
        )

    def worth(self, event: EquityEvent) -> None:
        for listener in self._listeners:
            with _unharmed():
                listener.worth(event)
        self._say(lambda subjects: subjects.equity(event.account_id), lambda: dump_event(event).encode())

    def here(self, epoch: int, trouble: str = "") -> None:
        """This instance writes, or would, but for some trouble."""
        self._say(lambda subjects: subjects.writer, partial(dump_news, epoch, trouble=trouble))

    def left(self, epoch: int) -> None:
        """It has given the lease back."""
        self._say(lambda subjects: subjects.writer, partial(dump_news, epoch, left=True))

    def who_writes(self) -> None:
        """Whoever writes is to say so."""
        self._say(lambda subjects: subjects.who_writes, bytes)

    async def stop(self) -> None:
        """Say what waits, and nothing more."""
        await self._announcer.stop()

    def _say(self, where: Callable[[Subjects], str], write: Callable[[], bytes]) -> None:
        subjects = self._identity.known
        if subjects is not None:
            self._announcer.say(where(subjects), write)


@contextmanager
def _unharmed() -> Iterator[None]:
    """A boundary: what is committed is committed, and the next commit must go on."""
    try:
        yield
    except Exception:
        logger.exception("what was written could not be told")
