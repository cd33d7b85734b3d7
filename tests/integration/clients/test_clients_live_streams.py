"""Streams of the generated clients against a running server, and over its restart (G04, W03)."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType

import pytest
from support.backend_server import copy_package, running
from support.clients_contract import imported, live_sources, write_client
from support.ports import free_block

pytestmark = pytest.mark.integration
QUICK = {"base": 0.01, "longest": 0.2, "first_connect": 20}


@pytest.fixture(scope="module")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder = tmp_path_factory.mktemp("live") / "live_stream_clients"
    with imported(write_client(folder, *live_sources())) as package:
        yield package


def test_G04_streams_of_a_server_survive_its_restart(clients: ModuleType, tmp_path: Path) -> None:
    package = copy_package(tmp_path)
    port = free_block(1)
    models = clients.broker_v1_models

    async def follow(stack: ExitStack) -> None:
        start = lambda: stack.enter_context(running(package, "--port", str(port)))  # noqa: E731
        server = await asyncio.to_thread(start)
        policy = clients.StreamPolicy(**QUICK)
        async with clients.BrokerClient(f"http://127.0.0.1:{port}", streams=policy) as client:
            request = models.BrokerConnectionSubscription(accountId="DEMO-ACCOUNT")
            async with client.broker_connection.subscribe(request) as updates:
                events = updates.events()
                first = await anext(events)
                assert isinstance(first, clients.Update)
                assert isinstance(first.data, models.BrokerConnection)
                assert await asyncio.to_thread(server.stop, signal.SIGTERM) == 0
                await asyncio.to_thread(start)
                while not isinstance(await anext(events), clients.Reconnected):
                    pass
                # Whether a gap is told first depends on what the module declared of the route.
                while isinstance(event := await anext(events), clients.Gap):
                    pass
                assert isinstance(event, clients.Update)
                await events.aclose()
            wrong = models.BrokerConnectionSubscription.model_construct(_fields_set={"accountId"}, accountId="")
            with pytest.raises(clients.SubscriptionError, match="invalid_payload"):
                await anext(aiter(client.broker_connection.subscribe(wrong)))

    async def run(stack: ExitStack) -> None:
        async with asyncio.timeout(60):
            await follow(stack)

    with ExitStack() as stack:
        asyncio.run(run(stack))
