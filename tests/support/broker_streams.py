"""Subscribers of the broker's streams, without a server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from support.broker_writer import ACCOUNT, Instance, MemoryJournal, World
from support.ws_clients import FakeClient

from trading_api.models.broker import (
    EquityData,
    EquitySubscription,
    Execution,
    ExecutionSubscription,
    OrderSubscription,
    PlacedOrder,
    Position,
    PositionSubscription,
)
from trading_api.modules.broker.streams.log import EventLog
from trading_api.modules.broker.streams.streams import Streams
from trading_api.modules.broker.wire.updates import update_of
from trading_api.shared.bus import Bus
from trading_api.shared.ws import AnyRoute, Conflate, Durable, Hub, WsRoute


class Orders(WsRoute[OrderSubscription, PlacedOrder]):
    route, request_type, data_type, delivery = "orders", OrderSubscription, PlacedOrder, Durable


class Positions(WsRoute[PositionSubscription, Position]):
    route, request_type, data_type, delivery = "positions", PositionSubscription, Position, Durable


class Executions(WsRoute[ExecutionSubscription, Execution]):
    route, request_type, data_type, delivery = "executions", ExecutionSubscription, Execution, Durable


class Equities(WsRoute[EquitySubscription, EquityData]):
    route, request_type, data_type, delivery = "equity", EquitySubscription, EquityData, Conflate


ROUTES: tuple[AnyRoute, ...] = (Orders, Positions, Executions, Equities)


@asynccontextmanager
async def streaming(
    one: Instance, log: EventLog, *, bus: Bus | None = None, poll_s: float = 60.0, listen: bool = True
) -> AsyncIterator[Hub]:
    """The hub of an instance. The poll is slow, so that what a test sees is not its doing; `listen`: to the writer."""
    streams = Streams(
        log,
        bus or one.bus,
        subjects=one.writer.identity.subjects,
        account_of=lambda topic: ACCOUNT if topic.request.accountId.startswith("DEMO") else topic.request.accountId,
        render=update_of,
        ask_equity=one.commands.equity,
        poll_s=poll_s,
    )
    if listen:
        one.writer.telling.listen(streams)
    streams.start()
    hub = Hub(streams, ROUTES)
    try:
        yield hub
    finally:
        await hub.close()
        await streams.stop()


async def subscriber(hub: Hub, route: str, *, since: int | None = None, account_id: str = ACCOUNT) -> FakeClient:
    """A client that has subscribed to one route."""
    client = FakeClient(hub)
    reply = await client.subscribe(route, since=since, accountId=account_id)
    assert reply["type"].endswith("subscribe.response"), reply
    return client


__all__ = ["ROUTES", "MemoryJournal", "World", "streaming", "subscriber"]
