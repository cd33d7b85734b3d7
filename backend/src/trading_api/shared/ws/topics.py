"""The topics that live: created with their first subscriber, removed with their last (W03)."""

import asyncio
import contextvars
import logging
from collections.abc import Callable

from trading_api.shared.ws.errors import RequestError, TopicRefused
from trading_api.shared.ws.limits import WsLimits
from trading_api.shared.ws.memory import Memory
from trading_api.shared.ws.service import WsService
from trading_api.shared.ws.statistics import WsCounters
from trading_api.shared.ws.topic import AnyTopic, TopicKey

logger = logging.getLogger(__name__)

# What a topic takes: itself; its name as name, head and request; and for each key what a service must remember.
_TOPIC_BYTES, _NAME_TIMES, _KEY_BYTES = 4096, 4, 256


class LiveTopic:
    """A topic, how many want it, and the calls of the service that are under way for it."""

    __slots__ = ("claims", "creation", "removal", "topic")

    def __init__(self, topic: AnyTopic) -> None:
        self.topic = topic
        self.claims = 0
        self.creation: asyncio.Task[RequestError | None] | None = None
        self.removal: asyncio.Task[None] | None = None


class Topics:
    """Counts who wants which topic, and tells the service. Its calls run in tasks of their own: a client that goes

    away while they run cannot break them off half done.
    """

    def __init__(self, service: WsService, limits: WsLimits, counters: WsCounters, memory: Memory) -> None:
        self._service = service
        self._limits = limits
        self._counters = counters
        self._memory = memory
        self._live: dict[TopicKey, LiveTopic] = {}

    def __len__(self) -> int:
        return len(self._live)

    async def claim(self, key: TopicKey, make: Callable[[], AnyTopic]) -> LiveTopic:
        """The topic of `key`, created if nobody has it yet; to be released once. Raises RequestError: not created."""
        while (live := self._live.get(key)) is not None and live.removal is not None:
            await asyncio.wait({live.removal})
        if live is None:
            live = self._create(make())
        live.claims += 1
        creation = live.creation
        assert creation is not None, "begun where the topic is made"
        try:
            if not creation.done():
                # Not awaited itself: whoever stops waiting must not cancel it for the others.
                await asyncio.wait({creation})
            failure = creation.result()
            if failure is not None:
                raise RequestError(failure.code, failure.detail)
        except BaseException:
            self.release(live)
            raise
        return live

    def release(self, live: LiveTopic) -> None:
        """Give back one claim. With the last one the removal begins."""
        live.claims -= 1
        creation = live.creation
        if live.claims == 0 and creation is not None and creation.done():
            self._remove_unwanted(live)

    async def settle(self, timeout: float) -> None:
        """Wait until every topic whose claims were released is removed; after `timeout` seconds give the rest up."""
        deadline = asyncio.get_running_loop().time() + timeout
        while tasks := {task for live in self._live.values() for task in (live.removal or live.creation,) if task}:
            left = deadline - asyncio.get_running_loop().time()
            done, _ = await asyncio.wait(tasks, timeout=max(0.0, left), return_when=asyncio.FIRST_COMPLETED)
            if not done:
                logger.error("%d topics were not removed within %.1f s and are given up", len(self._live), timeout)
                return await self._give_up(tasks)
        return None

    async def _give_up(self, tasks: set[asyncio.Task[RequestError | None] | asyncio.Task[None]]) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=self._limits.stop_s)
        for live in tuple(self._live.values()):
            live.topic.end()
            self._forget(live)

    def _create(self, topic: AnyTopic) -> LiveTopic:
        if not self._memory.reserve(_cost(topic)):
            raise RequestError("refused", "The server holds as many topics as it has memory for; try again later.")
        live = self._live[topic.key] = LiveTopic(topic)
        live.creation = asyncio.create_task(self._run_creation(live), context=_no_request())
        return live

    async def _run_creation(self, live: LiveTopic) -> RequestError | None:
        """None when the service has created the topic, else what the subscribers are told."""
        failure = await self._try_to_create(live.topic)
        if failure is not None:
            live.topic.end()
            self._forget(live)
        else:
            self._counters.topics_created += 1
            self._remove_unwanted(live)
        return failure

    async def _try_to_create(self, topic: AnyTopic) -> RequestError | None:
        try:
            async with asyncio.timeout(self._limits.create_s):
                await self._service.create_topic(topic)
        except TopicRefused as refused:
            return RequestError("refused", refused.reason)
        except asyncio.CancelledError:
            return RequestError("internal_error", "The server stops.")
        except Exception:  # The boundary to a module's own code: one topic fails, the connection stays.
            logger.exception("create_topic failed: %s", topic.name)
            return RequestError("internal_error", "The server failed to create the topic; its log has the reason.")
        return None

    def _remove_unwanted(self, live: LiveTopic) -> None:
        """Begin to remove a topic that was created, if nobody wants it."""
        if live.claims or live.removal is not None or self._live.get(live.topic.key) is not live:
            return
        live.topic.end()
        live.removal = asyncio.create_task(self._run_removal(live), context=_no_request())

    async def _run_removal(self, live: LiveTopic) -> None:
        try:
            async with asyncio.timeout(self._limits.create_s):
                await self._service.remove_topic(live.topic)
        except Exception:  # The boundary to a module's own code: the topic is gone all the same.
            logger.exception("remove_topic failed: %s", live.topic.name)
        finally:
            self._counters.topics_removed += 1
            self._forget(live)

    def _forget(self, live: LiveTopic) -> None:
        if self._live.get(live.topic.key) is live:
            del self._live[live.topic.key]
            self._memory.free(_cost(live.topic))


def _cost(topic: AnyTopic) -> int:
    """About the bytes that a topic takes, here and in its service; its updates come on top."""
    return _TOPIC_BYTES + _NAME_TIMES * topic.name_bytes + _KEY_BYTES * topic.keys


def _no_request() -> contextvars.Context:
    """The context of the service's calls: what it starts there outlives the request, whose id it must not log."""
    return contextvars.Context()
