"""What requests are on every bus, in memory and over NATS."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from support.bus_ends import Heard, Medium, eventually, lines_of
from support.nats import NatsServer, nats_server

from trading_api.shared.bus import (
    MAX_MESSAGE,
    Bus,
    BusError,
    BusTimeout,
    BusUnavailable,
    NoResponder,
    Responder,
    ResponderBusy,
    ResponderFailed,
    Subscription,
)
from trading_api.shared.bus.answering import MAX_UNDER_WAY


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with nats_server() as running:
        yield running


@pytest.fixture(params=["memory", "nats"])
def medium(request: pytest.FixtureRequest) -> Medium:
    return Medium(request.getfixturevalue("server") if request.param == "nats" else None)


class Clerk:
    """A responder that keeps each request until it is let go."""

    def __init__(self) -> None:
        self.arrived: list[bytes] = []
        self.ended: list[bytes] = []
        self.opened = asyncio.Event()

    async def __call__(self, data: bytes) -> bytes:
        self.arrived.append(data)
        try:
            await self.opened.wait()
        finally:
            self.ended.append(data)
        return b"done " + data

    async def count(self, number: int) -> None:
        await eventually(lambda: len(self.arrived) >= number, f"{number} requests; there are {len(self.arrived)}")


def named(name: bytes) -> Responder:
    async def answer(data: bytes) -> bytes:
        return name + data

    return answer


def test_D04_a_request_is_answered(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        await theirs.serve("orders.place", named(b"> "))
        assert await ours.request("orders.place", b"buy", timeout=30) == b"> buy"
        assert await theirs.request("orders.place", b"", timeout=5) == b"> "
        assert len(await ours.request("orders.place", b"x" * (MAX_MESSAGE - 2), timeout=5)) == MAX_MESSAGE

    medium.run(scene)


def test_D04_each_request_reaches_one_of_those_that_serve_and_all_get_some(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        asked = [Heard(), Heard(), Heard()]
        third = medium.open() if medium.server else ours
        await third.connect()
        for bus, heard in zip((ours, theirs, third), asked, strict=True):
            await bus.serve("work", _counting(heard))
        answers = [await ours.request("work", str(number).encode(), timeout=30) for number in range(200)]
        assert answers == [str(number).encode() for number in range(200)]
        counts = [len(heard.messages) for heard in asked]
        assert sum(counts) == 200
        assert all(counts)
        await third.close()

    medium.run(scene)


def _counting(heard: Heard) -> Responder:
    from trading_api.shared.bus import Message

    async def answer(data: bytes) -> bytes:
        await heard(Message("work", data))
        return data

    return answer


def test_D04_without_a_server_the_caller_knows_at_once(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        # Who listens does not serve.
        await theirs.subscribe("work", Heard())
        await theirs.subscribe(">", Heard())
        async with asyncio.timeout(60):
            with pytest.raises(NoResponder, match="nobody serves 'work'"):
                await ours.request("work", b"", timeout=60)

    medium.run(scene)


def test_D04_requests_and_messages_of_one_subject_do_not_meet(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        heard, clerk = Heard(), Clerk()
        clerk.opened.set()
        await theirs.subscribe("work", heard)
        await theirs.serve("work", clerk)
        await ours.request("work", b"request", timeout=5)
        await ours.publish("work", b"message")
        await heard.count(1)
        assert heard.data == [b"message"]
        assert clerk.arrived == [b"request"]

    medium.run(scene)


def test_D04_no_answer_in_time_is_a_timeout_and_the_late_answer_goes_nowhere(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        clerk = Clerk()
        await theirs.serve("work", clerk)
        begun = asyncio.get_running_loop().time()
        with pytest.raises(BusTimeout, match=r"no answer on 'work' within 0\.1 s"):
            await ours.request("work", b"1", timeout=0.1)
        assert 0.05 < asyncio.get_running_loop().time() - begun < 5
        clerk.opened.set()
        assert await ours.request("work", b"2", timeout=30) == b"done 2"
        assert clerk.ended == [b"1", b"2"]

    medium.run(scene)


def test_D04_what_a_server_raises_stays_with_it(medium: Medium, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        async def raises(data: bytes) -> bytes:
            if data == b"cancelled":
                raise asyncio.CancelledError
            raise ValueError("the secret of the server")

        await theirs.serve("work", raises)
        for data in (b"", b"cancelled"):
            with pytest.raises(ResponderFailed) as caught:
                await ours.request("work", data, timeout=5)
            assert str(caught.value) == "the server of 'work' failed; its log says why"
            assert caught.value.__cause__ is None
        await theirs.serve("other", named(b""))
        assert await ours.request("other", b"fine", timeout=30) == b"fine"

    medium.run(scene)
    assert lines_of(caplog.records, logging.ERROR) == ["the server of 'work' failed"] * 2


def test_D04_an_answer_that_is_too_large_is_a_failure_of_the_server(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        await theirs.serve("work", named(b"x" * MAX_MESSAGE))
        with pytest.raises(ResponderFailed):
            await ours.request("work", b"y", timeout=5)
        assert theirs.connected

    medium.run(scene)


def test_D04_requests_are_answered_side_by_side_and_begin_in_order(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        clerk = Clerk()
        await theirs.serve("work", clerk)
        sent = [str(number).encode() for number in range(50)]
        calls = [asyncio.create_task(ours.request("work", data, timeout=30)) for data in sent]
        await clerk.count(50)
        assert clerk.arrived == sent
        clerk.opened.set()
        assert await asyncio.gather(*calls) == [b"done " + data for data in sent]

    medium.run(scene)


def test_D04_more_requests_than_a_server_takes_are_refused_at_once(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        clerk = Clerk()
        serving = await theirs.serve("work", clerk)
        calls = [asyncio.create_task(ours.request("work", b"", timeout=30)) for _ in range(MAX_UNDER_WAY)]
        await clerk.count(MAX_UNDER_WAY)
        with pytest.raises(ResponderBusy, match="256 requests under way"):
            await ours.request("work", b"more", timeout=30)
        assert serving.dropped == 1
        clerk.opened.set()
        await asyncio.gather(*calls)
        assert await ours.request("work", b"more", timeout=30) == b"done more"

    medium.run(scene)


async def _caller_of(ours: Bus, clerk: Clerk) -> "asyncio.Task[bytes]":
    call = asyncio.create_task(ours.request("work", b"1", timeout=30))
    await clerk.count(1)
    return call


def test_D04_a_server_that_ends_tells_its_callers(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        clerk = Clerk()
        serving: Subscription = await theirs.serve("work", clerk)
        call = await _caller_of(ours, clerk)
        await serving.unsubscribe()
        assert clerk.ended == [b"1"]
        async with asyncio.timeout(60):
            with pytest.raises(BusUnavailable, match="ended before it answered"):
                await call
            with pytest.raises(NoResponder):
                await ours.request("work", b"2", timeout=30)

    medium.run(scene)


@pytest.mark.parametrize("end", ["caller", "server"])
def test_D04_closing_either_end_fails_the_requests_in_flight(medium: Medium, end: str) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        clerk = Clerk()
        await theirs.serve("work", clerk)
        call = await _caller_of(ours, clerk)
        await (ours if end == "caller" else theirs).close()
        async with asyncio.timeout(60):
            with pytest.raises(BusUnavailable):
                await call

    medium.run(scene)


def test_D04_a_cancelled_caller_leaves_the_server_to_end_its_work(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        clerk = Clerk()
        await theirs.serve("work", clerk)
        call = await _caller_of(ours, clerk)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        clerk.opened.set()
        assert await ours.request("work", b"2", timeout=30) == b"done 2"
        assert clerk.ended == [b"1", b"2"]

    medium.run(scene)


def test_D04_the_other_instance_answers_when_one_stops_serving(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        first = await ours.serve("work", named(b"1"))
        await theirs.serve("work", named(b"2"))
        await first.unsubscribe()
        answers = {await ours.request("work", b"", timeout=30) for _ in range(20)}
        assert answers == {b"2"}

    medium.run(scene)


def test_D04_every_error_is_a_bus_error() -> None:
    kinds = (BusTimeout, BusUnavailable, NoResponder, ResponderBusy, ResponderFailed)
    assert all(issubclass(kind, BusError) for kind in kinds)
