"""NATS dies, comes back, hangs: what the bus does about it."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from support.bus_ends import Gate, Heard, Medium, eventually, lines_of
from support.nats import NatsServer, nats_server

from trading_api.shared.bus import Bus, BusError, BusTimeout, BusUnavailable
from trading_api.shared.bus import nats_connection as connection_module

pytestmark = pytest.mark.integration


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with nats_server() as running:
        yield running


@pytest.fixture(params=["asyncio", "uvloop"])
def medium(request: pytest.FixtureRequest, server: NatsServer) -> Medium:
    """The servers run on uvloop where there is one."""
    return Medium(server, pytest.importorskip("uvloop").new_event_loop if request.param == "uvloop" else None)


class Back:
    """Counts reconnects."""

    def __init__(self, bus: Bus) -> None:
        self.count = 0
        bus.on_reconnect(self)

    async def __call__(self) -> None:
        self.count += 1


async def _lost(*buses: Bus) -> None:
    await eventually(lambda: not any(bus.connected for bus in buses), "the loss")


async def _back(*buses: Bus) -> None:
    await eventually(lambda: all(bus.connected for bus in buses), "the connection")


def test_D04_killed_under_load_everything_goes_on_once_it_is_back(
    medium: Medium, server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Three times: publishers and callers never stop; what they are refused are bus errors, and in time."""
    caplog.set_level(logging.INFO)

    async def scene(ours: Bus, theirs: Bus) -> None:
        heard, backs = Heard(), (Back(ours), Back(theirs))
        await theirs.subscribe("load", heard)
        await theirs.serve("work", _echo)
        load = [asyncio.create_task(_publish_always(ours)) for _ in range(3)]
        load += [asyncio.create_task(_ask_always(ours)) for _ in range(20)]
        for _ in range(3):
            await heard.count(len(heard.messages) + 1000)
            server.kill()
            await _lost(ours, theirs)
            server.start()
            await _back(ours, theirs)
            await eventually(lambda: [back.count for back in backs] == [server.kills] * 2, "the callbacks")
        await heard.count(len(heard.messages) + 1000)
        assert await ours.request("work", b"still", timeout=30) == b"still"
        for task in load:
            task.cancel()
        ends = await asyncio.gather(*load, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends), ends

    medium.run(scene)
    connections = [line for line in lines_of(caplog.records) if "handler" not in line]
    assert len([line for line in connections if line.startswith("lost the bus at nats://127.0.0.1:")]) == 6
    assert len([line for line in connections if line.startswith("connected") and line.endswith(" again")]) == 6
    assert len(connections) == 2 + 6 + 6


async def _echo(data: bytes) -> bytes:
    return data


async def _publish_always(bus: Bus) -> None:
    while True:
        try:
            for _ in range(20):
                await bus.publish("load", b"x" * 200)
        except BusUnavailable:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.001)


async def _ask_always(bus: Bus) -> None:
    loop = asyncio.get_running_loop()
    while True:
        begun = loop.time()
        try:
            assert await bus.request("work", b"1", timeout=2) == b"1"
        except BusError:
            await asyncio.sleep(0.01)
        # Not later than asked for, and some seconds for a machine that is busy.
        assert loop.time() - begun < 2 + 30


def test_D04_requests_in_flight_fail_at_once_when_it_dies(medium: Medium, server: NatsServer) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        gate = asyncio.Event()

        async def never(_: bytes) -> bytes:
            gate.set()
            await asyncio.Event().wait()
            return b""

        await theirs.serve("work", never)
        call = asyncio.create_task(ours.request("work", b"", timeout=60))
        await gate.wait()
        server.kill()
        async with asyncio.timeout(40):
            with pytest.raises(BusUnavailable, match="lost the bus at nats://127"):
                await call

    medium.run(scene)


def test_D04_without_a_connection_nothing_is_kept_for_later(medium: Medium, server: NatsServer) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        heard = Heard()
        await theirs.subscribe("a", heard)
        server.stop()
        await _lost(ours, theirs)
        with pytest.raises(BusUnavailable, match="not connected to the bus at nats://127"):
            await ours.publish("a", b"lost")
        with pytest.raises(BusUnavailable):
            await ours.request("a", b"lost", timeout=30)
        server.start()
        await _back(ours, theirs)
        await ours.publish("a", b"sent")
        await heard.count(1)
        assert heard.data == [b"sent"]

    medium.run(scene)


def test_D04_what_was_subscribed_and_unsubscribed_meanwhile_holds_afterwards(
    medium: Medium, server: NatsServer
) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        gone, kept, new = Heard(), Heard(), Heard()
        subscription = await theirs.subscribe("a", gone)
        await theirs.subscribe("a", kept)
        server.kill()
        await _lost(ours, theirs)
        await subscription.unsubscribe()
        await theirs.subscribe("a", new)
        await theirs.serve("work", _echo)
        server.start()
        await _back(ours, theirs)
        await ours.publish("a", b"1")
        await kept.count(1)
        await new.count(1)
        assert gone.messages == []
        assert await ours.request("work", b"2", timeout=30) == b"2"

    medium.run(scene)


def test_D04_a_handler_under_way_outlives_a_lost_connection(medium: Medium, server: NatsServer) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        gate = Gate()
        await theirs.subscribe("a", gate)
        await ours.publish("a", b"1")
        await gate.entered.wait()
        server.kill()
        await _lost(ours, theirs)
        gate.opened.set()
        await gate.heard.count(1)
        server.start()
        await _back(ours, theirs)

    medium.run(scene)


def test_D04_a_server_that_hangs_stops_neither_callers_nor_publishers_nor_the_end(
    medium: Medium, server: NatsServer
) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        await theirs.serve("work", _echo)
        server.pause()
        with pytest.raises(BusTimeout):
            await ours.request("work", b"", timeout=0.2)
        # More than the sockets' buffers take: in the end the publisher is told, and is not held for long.
        async with asyncio.timeout(60):
            with pytest.raises(BusUnavailable, match=r"takes nothing more|lost the bus"):
                await _fill(ours)
            await ours.close()

    try:
        medium.run(scene)
    finally:
        server.go_on()


async def _fill(bus: Bus) -> None:
    for _ in range(200):
        await bus.publish("a", b"x" * 500_000)


def test_D04_a_publisher_that_waits_for_a_hanging_server_can_be_cancelled(medium: Medium, server: NatsServer) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        server.pause()
        filling = asyncio.create_task(_fill(ours))
        await asyncio.wait([filling], timeout=0.5)
        assert not filling.done()
        filling.cancel()
        await asyncio.wait([filling], timeout=1)
        assert filling.cancelled()
        server.go_on()
        heard = Heard()
        await theirs.subscribe("after", heard)
        await _back(ours, theirs)
        await ours.publish("after", b"")
        await heard.count(1)

    try:
        medium.run(scene)
    finally:
        server.go_on()


def test_D04_a_server_that_hangs_is_given_up_and_found_again(
    medium: Medium, server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_module, "PING_S", 0.2)

    async def scene(ours: Bus, theirs: Bus) -> None:
        back = Back(ours)
        server.pause()
        await _lost(ours, theirs)
        server.go_on()
        await _back(ours, theirs)
        await eventually(lambda: back.count == 1, "the callback")

    try:
        medium.run(scene)
    finally:
        server.go_on()


def test_D04_a_callback_that_raises_is_logged_and_the_others_run(
    medium: Medium, server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        async def raises() -> None:
            raise ValueError("no")

        ours.on_reconnect(raises)
        back = Back(ours)
        server.kill()
        await _lost(ours)
        server.start()
        await eventually(lambda: back.count == 1, "the callback")
        assert ours.connected

    medium.run(scene)
    assert lines_of(caplog.records, logging.ERROR) == ["a callback after a reconnect failed"]
