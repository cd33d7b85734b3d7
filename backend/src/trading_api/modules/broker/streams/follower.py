"""Follows the log of one account, and publishes what happens to its topics."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from trading_api.modules.broker.domain.events import EquityEvent, Event
from trading_api.modules.broker.streams.log import EventLog
from trading_api.modules.broker.writer.hint import Hint
from trading_api.shared.store.errors import StoreError
from trading_api.shared.ws import AnyTopic

logger = logging.getLogger(__name__)

PAGE = 500
"""Events that are read at a time."""
BURST = 200
"""Updates after which the event loop has a turn: a subscriber's queue takes 1024 (Topic.publish)."""

Render = Callable[[Event], object]
"""From an event to what its route sends."""


@dataclass(frozen=True, slots=True)
class _Interest:
    """What a topic gets: events of `kind` with a `seq` above `after`, which is where the log ended when it began."""

    kind: type[Event]
    after: int


class Follower:
    """Publishes each event once and in order, wherever it hears of it. Belongs to one event loop.

    Hints may be missing, late, doubled or in disorder: whatever does not continue what it has is read from the log.
    """

    def __init__(self, account_id: str, log: EventLog, render: Render) -> None:
        self.account_id = account_id
        self._log = log
        self._render = render
        self._topics: dict[AnyTopic, _Interest] = {}
        # The last one that was published, and the last one that is known of; before `begin` there is no former.
        self._cursor: int | None = None
        self._known = 0
        self._equity: EquityEvent | None = None
        self._reading: asyncio.Task[None] | None = None
        self._ended = False

    @property
    def begun(self) -> bool:
        """Whether it publishes."""
        return self._cursor is not None

    def begin(self, last: int) -> None:
        """The log ends at `last` now: what comes after it is published. A second time it is a hint."""
        if self._cursor is None:
            self._cursor = last
        self.hear(last)

    def end(self) -> asyncio.Task[None] | None:
        """Publish no more. Returns the reading that is under way, cancelled."""
        self._ended = True
        if self._reading is not None:
            self._reading.cancel()
        return self._reading

    def add(self, topic: AnyTopic, kind: type[Event], after: int) -> None:
        """Publish events of `kind` to `topic` from now on, but none that the log held at `after`."""
        self._topics[topic] = _Interest(kind, after)

    def remove(self, topic: AnyTopic) -> None:
        """Publish to it no more."""
        self._topics.pop(topic, None)

    def take(self, hint: Hint) -> None:
        """The writer has written. What continues the log is published at once, unless it is much."""
        cursor = self._cursor
        if cursor is None or self._is_reading or hint.first > cursor + 1 or not 0 < len(hint.events) <= BURST:
            self.hear(hint.last)
            return
        self._publish([event for event in hint.events if event.seq > cursor])

    def hear(self, last: int) -> None:
        """The log of the account goes up to `last`: read what is missing."""
        self._known = max(self._known, last)
        if self._cursor is None or self._cursor >= self._known or self._is_reading or self._ended:
            return
        self._reading = asyncio.get_running_loop().create_task(self._catch_up(), name=f"log of {self.account_id}")

    def take_equity(self, event: EquityEvent) -> bool:
        """What the account is worth, whether that stands in the log or came with a quote. False: nothing new."""
        newest = self._equity
        if event.equity.equity is None:
            # A trade while a value was not known yet: the writer says it when it is.
            return False
        if newest is not None and (event.seq < newest.seq or event.equity == newest.equity):
            return False
        self._equity = event
        for topic, interest in tuple(self._topics.items()):
            if interest.kind is EquityEvent:
                topic.publish(self._render(event))
        return True

    def show_equity(self, topic: AnyTopic, event: EquityEvent) -> None:
        """The same for a topic that has had none yet: it gets the newest in any case."""
        if not self.take_equity(event) and self._equity is not None:
            topic.publish(self._render(self._equity))

    @property
    def _is_reading(self) -> bool:
        return self._reading is not None and not self._reading.done()

    async def _catch_up(self) -> None:
        """Read and publish until nothing is missing. What the store refuses, the next hint or look tries again."""
        try:
            while (cursor := self._cursor) is not None and cursor < self._known:
                page = await asyncio.to_thread(self._log.events_after, self.account_id, cursor, None, PAGE)
                if not page:
                    # The log does not hold what the hint said: that commit is not to be seen here yet.
                    self._known = cursor
                    return
                for start in range(0, len(page), BURST):
                    self._publish(page[start : start + BURST])
                    await asyncio.sleep(0)
        except StoreError as error:
            logger.warning("the log of %s cannot be followed now: %s", self.account_id, error)

    def _publish(self, events: Sequence[Event]) -> None:
        for event in events:
            self._cursor = event.seq
            try:
                self._publish_one(event)
            except Exception:  # A boundary: what cannot be shown must not keep everything after it from being shown.
                logger.exception("event %d of %s cannot be published", event.seq, self.account_id)
                self._fail(event)

    def _publish_one(self, event: Event) -> None:
        if isinstance(event, EquityEvent):
            self.take_equity(event)
            return
        update: object = None
        for topic, interest in tuple(self._topics.items()):
            if interest.kind is type(event) and event.seq > interest.after:
                update = self._render(event) if update is None else update
                topic.publish(update, seq=event.seq)

    def _fail(self, event: Event) -> None:
        """Those who must not miss it know so: their connections end, and none can resume beyond it unknowingly."""
        for topic, interest in tuple(self._topics.items()):
            if interest.kind is type(event) and topic.durable and event.seq > interest.after:
                topic.fail()
