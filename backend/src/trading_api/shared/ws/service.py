"""What a module's service does for its WebSocket routes."""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from trading_api.shared.ws.declaration import Durable
from trading_api.shared.ws.route import AnyRoute
from trading_api.shared.ws.topic import AnyTopic

DataT = TypeVar("DataT")


@dataclass(frozen=True, slots=True)
class SequencedUpdate(Generic[DataT]):
    """An update of a durable route as `replay` returns it; `seq` is what it was, or will be, published with."""

    seq: int
    data: DataT


class WsService(Protocol):
    """The service of a module that has WebSocket routes.

    For one topic the calls come strictly in turn: created, removed, created again. A topic that could not be created
    is not removed.
    """

    async def create_topic(self, topic: AnyTopic) -> None:
        """Begin to publish to `topic`, which gets its first subscriber. What it is about is `topic.request`.

        Raise TopicRefused(reason) if there can be no such topic; that, or any other error, is the subscriber's reply.
        """

    async def remove_topic(self, topic: AnyTopic) -> None:
        """Stop publishing to `topic`: its last subscriber has gone. It is gone too, even if this raises."""


class DurableWsService(WsService, Protocol):
    """The service of a module that has a route with the delivery Durable."""

    async def replay(self, topic: AnyTopic, since: int) -> Sequence[SequencedUpdate[Any]]:
        """The updates of `topic` with a `seq` greater than `since`, ascending.

        May hold some that have not been published yet, or are being published. Raise CannotResume(reason) if `since`
        is too old.
        """


def unmet_duty(service: object, routes: Iterable[AnyRoute]) -> str:
    """What `service` lacks to serve `routes`, as in `has no async method create_topic, …`; empty if nothing."""
    found = tuple(routes)
    if not found:
        return ""
    durable = next((route.route for route in found if issubclass(route.delivery, Durable)), None)
    needs = {
        "create_topic": f"which the route {found[0].route} needs",
        "remove_topic": f"which the route {found[0].route} needs",
        **({"replay": f"which the durable route {durable} needs"} if durable else {}),
    }
    missing = (name for name in needs if not inspect.iscoroutinefunction(getattr(service, name, None)))
    return "; ".join(f"has no async method {name}, {needs[name]}" for name in missing)
