"""The hub: every connection and topic of one version of a module."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, Literal, cast

from starlette.types import Receive

from trading_api.shared.users.expiry import closed_at
from trading_api.shared.users.identity import Identity
from trading_api.shared.users.user import User
from trading_api.shared.ws.connection import Connection
from trading_api.shared.ws.errors import RequestError
from trading_api.shared.ws.limits import DEFAULT_LIMITS, WsLimits
from trading_api.shared.ws.memory import Memory
from trading_api.shared.ws.newest import Newest
from trading_api.shared.ws.route import AnyRoute
from trading_api.shared.ws.routes import CompiledRoute, compile_routes
from trading_api.shared.ws.service import DurableWsService, SequencedUpdate, WsService
from trading_api.shared.ws.sockets import ClientSocket
from trading_api.shared.ws.statistics import WebSocketStatistics, WsCounters
from trading_api.shared.ws.topic import AnyTopic, Topic
from trading_api.shared.ws.topics import Topics

Action = Literal["subscribe", "unsubscribe"]
_ACTIONS: tuple[Action, ...] = ("subscribe", "unsubscribe")
SERVICE_RESTART = 1012


class Hub:
    """Serves clients with the topics of `service`. Lives in one event loop."""

    def __init__(self, service: WsService, routes: Iterable[AnyRoute], limits: WsLimits = DEFAULT_LIMITS) -> None:
        self.limits = limits
        self.counters = WsCounters()
        self.memory = Memory(limits.memory)
        self.topics = Topics(service, limits, self.counters, self.memory)
        self.connections: set[Connection] = set()
        self.closed = False
        self._service = service
        compiled = compile_routes(routes)
        self._types = {f"{name}.{action}": (compiled[name], action) for name in compiled for action in _ACTIONS}

    async def serve(self, socket: ClientSocket, receive: Receive, identity: Identity | None = None) -> None:
        """Serve one client that was accepted, until it has gone. `identity`: whose it is, where a user is needed."""
        connection = Connection(self, socket, identity.user if identity else None)
        self.connections.add(connection)
        self.counters.accepted += 1
        with closed_at(identity.expires_s if identity else None, connection.expire):
            await connection.run(receive)

    def find(self, frame_type: str) -> tuple[CompiledRoute, Action]:
        """The route and action of a frame's type. Raises RequestError."""
        found = self._types.get(frame_type)
        if found is None:
            raise RequestError("unknown_type", self._unknown(frame_type))
        return found

    def make_topic(self, route: CompiledRoute, name: str, request: object, user: User | None) -> AnyTopic:
        """A topic that the service does not know of yet."""
        newest = Newest(self.limits.keys, self.limits.keys_bytes, self.memory)
        return Topic(route, name, request, self.counters, newest, user)

    async def replay(self, topic: AnyTopic, since: int) -> Sequence[SequencedUpdate[Any]]:
        """What the service has of a durable topic after `since`."""
        return await cast("DurableWsService", self._service).replay(topic, since)

    def statistics(self) -> WebSocketStatistics:
        """What is there now, and what was done so far."""
        return WebSocketStatistics(
            connections=len(self.connections),
            topics=len(self.topics),
            subscriptions=sum(connection.subscriptions for connection in self.connections),
            **asdict(self.counters),
        )

    def open(self) -> None:
        """Take clients, also once closed. A new hub is open."""
        self.closed = False

    async def close(self) -> None:
        """Close every client with 1012 and see every topic removed, in a bounded time. Takes nobody until `open`."""
        self.closed = True
        for connection in tuple(self.connections):
            connection.close(SERVICE_RESTART, "the server stops or restarts")
        await self.topics.settle(self.limits.stop_s)

    def _unknown(self, frame_type: str) -> str:
        close = difflib.get_close_matches(frame_type[:64], self._types, n=1)
        hint = f"Did you mean {close[0]}? " if close else ""
        return f"There is no such type. {hint}Known: {', '.join(sorted(self._types))}."
