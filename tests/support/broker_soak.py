"""A load of orders over a tree with two brokers, whose processes are killed and paused at random (D04)."""

import asyncio
from dataclasses import dataclass, field

from support.broker_audit import ACCOUNT, ledger_of
from support.broker_chaos import disturb_all
from support.broker_load import TradeLoad, trade_load
from support.project import Project

from trading_api.clients import BrokerClient
from trading_api.clients.runtime import Gap, StreamPolicy, Update
from trading_api.modules.broker.client_generated import broker_v1_models as models
from trading_api.modules.broker.domain.events import OrderEvent

VICTIMS = ("broker:broker-0", "broker:broker-1", "bus")
_PATIENT = StreamPolicy(base=0.1, longest=1.0)


@dataclass
class Soak:
    """What came of it."""

    load: TradeLoad
    disturbances: int = 0
    told: list[int] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


def deploy(project: Project) -> None:
    """Two brokers, a datafeed that is pushed, a bus; running."""
    config = project.standard(broker={"instances": 2})
    project.write({**config, "feed": {"kind": "manual"}, "debug_routes": True})
    project.up()


async def soak(project: Project, seconds: float, seed: int, tell: bool = False) -> Soak:
    """Trade and disturb for so long; then let it come to rest."""
    async with trade_load(project.url, seed) as load:
        found = Soak(load)
        reader = asyncio.create_task(_listen(project.url, found))
        found.disturbances = await disturb_all(project, load, VICTIMS, seconds, seed, tell)
        await load.goes_on()
    await _settle(project, found)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    return found


def problems_of(project: Project, found: Soak) -> list[str]:
    """Everything that was lost, repeated, told twice or not at all."""
    problems = list(found.load.mistakes)
    with ledger_of(store_url(project)) as ledger:
        problems += ledger.problems(found.load.placed)
        events = [seq for seq in ledger.seqs(OrderEvent) if found.told and seq >= found.told[0]]
    problems += found.gaps
    if not found.told:
        problems.append("the subscriber was told nothing")
    if found.told != events:
        missed, more = set(events) - set(found.told), set(found.told) - set(events)
        problems.append(f"the subscriber: {len(missed)} missed, {len(more)} unknown, {len(found.told)} told")
    return problems


def store_url(project: Project) -> str:
    """The one that an up without a `store` key makes."""
    return f"sqlite:///{project.local / 'data' / 'trading.db'}"


async def _listen(url: str, found: Soak) -> None:
    async with (
        BrokerClient(url, streams=_PATIENT) as client,
        client.orders.subscribe(models.OrderSubscription(accountId=ACCOUNT)) as stream,
    ):
        async for event in stream.events():
            if isinstance(event, Update) and event.seq is not None:
                found.told.append(event.seq)
            elif isinstance(event, Gap):
                found.gaps.append(f"a gap: {event.reason}")


async def _settle(project: Project, found: Soak) -> None:
    """Nothing trades any more: wait until the subscriber has heard the last of it."""
    with ledger_of(store_url(project)) as ledger:
        last = ledger.seqs(OrderEvent)[-1]
    async with asyncio.timeout(60):
        while not found.told or found.told[-1] < last:
            await asyncio.sleep(0.05)
