"""One client: reads its requests in turn and answers each; holds its subscriptions."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.types import Receive

from trading_api.shared.users.user import User
from trading_api.shared.ws.errors import CannotResume, RequestError
from trading_api.shared.ws.frames import ClientFrame, error_reply, success_reply
from trading_api.shared.ws.holdings import Holdings
from trading_api.shared.ws.keys import keys_of
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.outbox import Outbox
from trading_api.shared.ws.rate import MessageRate, Verdict
from trading_api.shared.ws.routes import CompiledRoute
from trading_api.shared.ws.service import SequencedUpdate
from trading_api.shared.ws.sockets import ClientSocket
from trading_api.shared.ws.subscription import ConflatingSubscription, DurableSubscription, Subscription
from trading_api.shared.ws.topic import AnyTopic

if TYPE_CHECKING:
    from trading_api.shared.ws.hub import Hub

logger = logging.getLogger(__name__)

POLICY_VIOLATION = 1008
INTERNAL_ERROR = 1011
# RFC 6455: a control frame holds 125 bytes, two of them are the code.
_REASON_BYTES = 123
# Updates after which the event loop has a turn.
_SLICE = 200
_ALREADY = "Already subscribed"
_NOT_RESUMED = f"{_ALREADY}, so this `since` replays nothing; to resume, unsubscribe first"


class Connection:
    """A client from its accept to its end. Whatever ends it, `leave` gives back all that it holds."""

    __slots__ = ("_held", "_hub", "_rate", "_socket", "closed", "counters", "limits", "memory", "outbox", "user")

    def __init__(self, hub: "Hub", socket: ClientSocket, user: User | None = None) -> None:
        """`user`: whose connection it is; None in a module that needs no user."""
        self.user = user
        self.limits = hub.limits
        self.counters = hub.counters
        self.memory = hub.memory
        self.outbox = Outbox(socket, hub.limits, hub.memory)
        self.closed = False
        self._hub = hub
        self._socket = socket
        self._rate = MessageRate(hub.limits.messages_per_s, hub.limits.burst, asyncio.get_running_loop().time)
        self._held = Holdings(hub.limits)

    @property
    def subscriptions(self) -> int:
        """How many topics the client is subscribed to."""
        return len(self._held)

    async def run(self, receive: Receive) -> None:
        """Serve the client until it has gone."""
        try:
            while (event := await receive())["type"] != "websocket.disconnect":
                # Whoever does not read the answers is not asked for more questions.
                await self.outbox.room()
                if not self.closed:
                    await self._take(event)
        finally:
            self.leave()
            await self._socket.finish()

    def leave(self) -> None:
        """Give back every subscription; nothing more is sent. Does not wait, and may be called twice."""
        self.closed = True
        self._hub.connections.discard(self)
        # First, so that not every subscription looks for what waits of it.
        self.outbox.close()
        while self._held:
            live = self._held.remove_any()
            live.topic.detach(self)
            self._hub.topics.release(live)

    def close(self, code: int, reason: str) -> None:
        """End the connection from this side, at once."""
        if not self.closed:
            self.leave()
            self._socket.close(code, reason.encode()[:_REASON_BYTES].decode(errors="ignore"))

    def expire(self) -> None:
        """Close the connection: what proved whose it is holds no longer."""
        self.close(POLICY_VIOLATION, "the token expired")

    def drop_slow(self, topic: str) -> None:
        """Close the connection: it did not read the updates of `topic`, none of which it may miss unknowingly."""
        if not self.closed:
            self.counters.disconnected_slow += 1
            logger.warning("closing a client that does not read the updates of %s", topic)
            self.close(POLICY_VIOLATION, f"slow consumer of {topic}")

    def drop_failed(self, topic: str) -> None:
        """Close the connection: an update of `topic` cannot be sent, and none of them may be missed unknowingly."""
        self.close(INTERNAL_ERROR, f"cannot send an update of {topic}")

    async def _take(self, event: Mapping[str, Any]) -> None:
        verdict = self._rate.judge()
        if verdict is Verdict.FLOOD:
            self.counters.disconnected_flooding += 1
            self.close(POLICY_VIOLATION, "flooding: too many messages")
            return
        frame = ClientFrame()
        try:
            self._read(frame, event, verdict)
            await self._serve(frame)
        except RequestError as error:
            self.counters.errors += 1
            self._reply(error_reply(frame, error))

    def _read(self, frame: ClientFrame, event: Mapping[str, Any], verdict: Verdict) -> None:
        if verdict is Verdict.TAKEN:
            frame.read(event, self.limits.id_length)
            return
        with contextlib.suppress(RequestError):
            frame.read(event, self.limits.id_length)
        raise RequestError("rate_limited", f"More than {self.limits.messages_per_s:g} messages a second; slow down.")

    async def _serve(self, frame: ClientFrame) -> None:
        route, action = self._hub.find(frame.type)
        if frame.since is not None and not (route.durable and action == "subscribe"):
            raise RequestError("invalid_frame", "`since` goes with the subscribe of a durable route only.")
        request = route.parse(frame.payload)
        name = route.topic_of(request, self.limits.topic_bytes)
        if action == "unsubscribe":
            self._unsubscribe(frame, name)
        elif name in self._held:
            self._reply(success_reply(frame, name, _ALREADY if frame.since is None else _NOT_RESUMED))
        else:
            await self._subscribe(frame, route, name, request)

    def _unsubscribe(self, frame: ClientFrame, name: str) -> None:
        if name not in self._held:
            raise RequestError("not_subscribed", f"This connection has no subscription of {name}.")
        self._give_back(name)
        self._reply(success_reply(frame, name, "Unsubscribed"))

    async def _subscribe(self, frame: ClientFrame, route: CompiledRoute, name: str, request: object) -> None:
        self._held.admit(name, keys_of(request))
        key = (None if self.user is None else self.user.id, name)
        live = await self._hub.topics.claim(key, lambda: self._hub.make_topic(route, name, request, self.user))
        if self.closed:
            self._hub.topics.release(live)
            return
        self._held.add(live)
        # What adds a subscription is bounded by their number, so a client that resumes all of them may do it at once.
        self._rate.give_back()
        if frame.since is None:
            live.topic.attach(self, self._subscription(route, live.topic.name))
            self._reply(success_reply(frame, name, "Subscribed"))
            live.topic.send_newest(self)
        else:
            await self._resume(frame, live.topic, frame.since)

    def _subscription(self, route: CompiledRoute, name: str) -> Subscription:
        if route.conflates:
            return ConflatingSubscription(name, self)
        return DurableSubscription(name, self, None) if route.durable else Subscription(name, self)

    async def _resume(self, frame: ClientFrame, topic: AnyTopic, since: int) -> None:
        """Replay what came after `since`. Live updates are held back from the moment before the service is asked."""
        subscription = DurableSubscription(topic.name, self, since)
        topic.attach(self, subscription)
        try:
            missed = await self._missed(topic, since)
            await _check(topic, missed)
        except RequestError:
            self._give_back(topic.name)
            raise
        self._reply(success_reply(frame, topic.name, "Subscribed"))
        await subscription.replay(_rendered(topic, missed))

    async def _missed(self, topic: AnyTopic, since: int) -> Sequence[SequencedUpdate[Any]]:
        try:
            async with asyncio.timeout(self.limits.create_s):
                return await self._hub.replay(topic, since)
        except CannotResume as refused:
            raise RequestError("cannot_resume", refused.reason) from refused
        except Exception as error:  # The boundary to a module's own code: one request fails, the connection stays.
            logger.exception("replay failed: %s", topic.name)
            detail = "The server failed to replay what was missed; its log has the reason."
            raise RequestError("internal_error", detail) from error

    def _give_back(self, name: str) -> None:
        live = self._held.remove(name)
        if live is not None:
            live.topic.detach(self)
            self._hub.topics.release(live)

    def _reply(self, message: Message) -> None:
        if not self.outbox.put(message):
            self.drop_slow("replies")


def _rendered(topic: AnyTopic, missed: Sequence[SequencedUpdate[Any]]) -> Iterator[tuple[int, Message]]:
    """One at a time, for a client may have missed more than should be in memory twice."""
    return ((update.seq, topic.render(update.data, update.seq)) for update in missed)


async def _check(topic: AnyTopic, missed: Sequence[SequencedUpdate[Any]]) -> None:
    """Raises RequestError if one of them is no JSON, before the answer: a replay that breaks off would break off again

    whenever the client comes back.
    """
    for count, update in enumerate(missed, 1):
        try:
            topic.render(update.data, update.seq)
        except Exception as error:  # The boundary to a module's own data.
            logger.exception("update %d of %s cannot be sent", update.seq, topic.name)
            detail = f"Update {update.seq} cannot be sent: subscribe without `since`, then read the state anew."
            raise RequestError("cannot_resume", detail) from error
        if count % _SLICE == 0:
            await asyncio.sleep(0)
