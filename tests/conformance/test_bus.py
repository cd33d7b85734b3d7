"""What every bus does, in memory and over NATS."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
from support.bus_ends import Gate, Heard, Medium, eventually, lines_of
from support.nats import NatsServer, nats_server

from trading_api.shared.bus import (
    MAX_MESSAGE,
    Bus,
    BusUnavailable,
    Message,
    MessageTooLarge,
    SubjectError,
)
from trading_api.shared.bus.delivery import MAX_BYTES, MAX_MESSAGES


@pytest.fixture(scope="module")
def server() -> Iterator[NatsServer]:
    with nats_server() as running:
        yield running


@pytest.fixture(params=["memory", "nats"])
def medium(request: pytest.FixtureRequest) -> Medium:
    return Medium(request.getfixturevalue("server") if request.param == "nats" else None)


def test_D04_every_subscriber_gets_what_one_publishes_in_order(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        near, far, other = Heard(), Heard(), Heard()
        await ours.subscribe("ticks.AAPL", near)
        await theirs.subscribe("ticks.AAPL", far)
        await theirs.subscribe("ticks.MSFT", other)
        sent = [str(number).encode() for number in range(3000)]
        for data in sent:
            await ours.publish("ticks.AAPL", data)
        await near.count(3000)
        await far.count(3000)
        assert near.data == far.data == sent
        assert {message.subject for message in far.messages} == {"ticks.AAPL"}
        assert other.messages == []

    medium.run(scene)


def test_D04_bytes_arrive_as_they_were_given_also_none_and_the_most(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        heard = Heard()
        await theirs.subscribe("raw", heard)
        given = [b"", b"\r\n+OK\r\nMSG x 1 0\r\n", bytes(range(256)), b"\x00" * MAX_MESSAGE]
        for data in given:
            await ours.publish("raw", data)
        await heard.count(4)
        assert heard.data == given

    medium.run(scene)


def test_D04_patterns_hear_what_they_match(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        one, rest, everything = Heard(), Heard(), Heard()
        await theirs.subscribe("bars.*.60", one)
        await theirs.subscribe("bars.>", rest)
        await theirs.subscribe(">", everything)
        subjects = ["bars.AAPL.60", "bars.AAPL.1", "bars", "bars.A.B.60"]
        for subject in subjects:
            await ours.publish(subject, b"")
        await everything.count(4)
        assert [message.subject for message in one.messages] == ["bars.AAPL.60"]
        assert [message.subject for message in rest.messages] == ["bars.AAPL.60", "bars.AAPL.1", "bars.A.B.60"]
        assert [message.subject for message in everything.messages] == [
            "bars.AAPL.60",
            "bars.AAPL.1",
            "bars",
            "bars.A.B.60",
        ]

    medium.run(scene)


def test_D04_after_unsubscribing_no_call_begins_and_none_is_under_way(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        gate, marker = Gate(), Heard()
        subscription = await theirs.subscribe("a", gate)
        await theirs.subscribe("a", marker)
        for _ in range(3):
            await ours.publish("a", b"")
        await gate.entered.wait()
        await subscription.unsubscribe()
        gate.opened.set()
        await ours.publish("a", b"")
        await marker.count(4)
        await subscription.unsubscribe()
        assert gate.heard.messages == []

    medium.run(scene)


def test_D04_a_handler_may_end_its_own_subscription(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        calls, marker = Heard(), Heard()

        async def once(message: Message) -> None:
            await subscription.unsubscribe()
            await calls(message)

        subscription = await theirs.subscribe("a", once)
        await theirs.subscribe("a", marker)
        for number in range(3):
            await ours.publish("a", str(number).encode())
        await marker.count(3)
        await calls.count(1)
        assert calls.data == [b"0"]

    medium.run(scene)


def test_D04_a_handler_that_raises_hurts_nobody(medium: Medium, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        heard, good = Heard(), Heard()

        async def raises(message: Message) -> None:
            await heard(message)
            raise asyncio.CancelledError if message.data == b"1" else ValueError("the secret of the handler")

        await theirs.subscribe("a", raises)
        await theirs.subscribe("a", good)
        for number in range(3):
            await ours.publish("a", str(number).encode())
        await heard.count(3)
        await good.count(3)

    medium.run(scene)
    assert lines_of(caplog.records, logging.ERROR) == ["the handler of 'a' failed"]


def test_D04_a_slow_handler_loses_its_oldest_and_nobody_elses(medium: Medium, caplog: pytest.LogCaptureFixture) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        slow, quick = Gate(), Heard()
        subscription = await theirs.subscribe("a", slow)
        await theirs.subscribe("a", quick)
        number = MAX_MESSAGES + 100
        sent = [str(each).encode() for each in range(number + 1)]
        await ours.publish("a", sent[0])
        await slow.entered.wait()
        for data in sent[1:]:
            await ours.publish("a", data)
        await quick.count(number + 1)
        await eventually(lambda: subscription.dropped == 100, "what is dropped")
        slow.opened.set()
        await slow.heard.count(1 + MAX_MESSAGES)
        assert slow.heard.data == [sent[0], *sent[-MAX_MESSAGES:]]
        assert quick.data == sent

    medium.run(scene)
    assert [line for line in lines_of(caplog.records) if "handler" in line] == [
        "the handler of 'a' is too slow: its oldest messages are dropped",
        "the handler of 'a' keeps up again; dropped so far: 100",
    ]


def test_D04_what_waits_for_a_slow_handler_is_bounded_in_bytes(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        slow, quick = Gate(), Heard()
        subscription = await theirs.subscribe("a", slow)
        await theirs.subscribe("a", quick)
        kept = MAX_BYTES // MAX_MESSAGE
        for number in range(kept + 6):
            await ours.publish("a", bytes([number]) * MAX_MESSAGE)
            await slow.entered.wait()
        await quick.count(kept + 6)
        await eventually(lambda: subscription.dropped == 5, "what is dropped")
        slow.opened.set()
        await slow.heard.count(1 + kept)
        assert [data[0] for data in slow.heard.data] == [0, *range(6, kept + 6)]

    medium.run(scene)


def test_D04_nothing_published_after_subscribe_returned_is_missed(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        for number in range(100):
            heard = Heard()
            await theirs.subscribe(f"a.{number}", heard)
            await ours.publish(f"a.{number}", b"")
            await heard.count(1)

    medium.run(scene)


@pytest.mark.parametrize("subject", ["", ".", "a.", ".a", "a..b", "a b", "a\r\nPUB b 0", "ä", "a.*", "a.>", "x" * 256])
def test_D04_only_subjects_are_published_and_served(medium: Medium, subject: str) -> None:
    async def echo(data: bytes) -> bytes:
        return data

    async def scene(ours: Bus, theirs: Bus) -> None:
        with pytest.raises(SubjectError):
            await ours.publish(subject, b"")
        with pytest.raises(SubjectError):
            await ours.request(subject, b"", timeout=1)
        with pytest.raises(SubjectError):
            await ours.serve(subject, echo)

    medium.run(scene)


@pytest.mark.parametrize("pattern", ["", "a.>.b", "a*", "a.>b", "**", "a. .b", "a\n"])
def test_D04_only_patterns_are_subscribed_to(medium: Medium, pattern: str) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        with pytest.raises(SubjectError):
            await ours.subscribe(pattern, Heard())

    medium.run(scene)


def test_D04_more_than_the_most_is_refused_and_nothing_is_sent(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        heard = Heard()
        await theirs.subscribe("a", heard)
        with pytest.raises(MessageTooLarge, match="1048577 bytes; at most 1048576"):
            await ours.publish("a", b"x" * (MAX_MESSAGE + 1))
        with pytest.raises(MessageTooLarge):
            await ours.request("a", b"x" * (MAX_MESSAGE + 1), timeout=1)
        await ours.publish("a", b"small")
        await heard.count(1)
        assert heard.data == [b"small"]
        assert ours.connected

    medium.run(scene)


def test_D04_before_connecting_and_after_closing_nothing_is_published(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        bus = medium.open()
        states = [bus.connected]
        with pytest.raises(BusUnavailable):
            await bus.publish("a", b"")
        with pytest.raises(BusUnavailable):
            await bus.request("a", b"", timeout=1)
        await bus.connect()
        states.append(bus.connected)
        await bus.close()
        states.append(bus.connected)
        assert states == [False, True, False]
        for call in (
            bus.publish("a", b""),
            bus.connect(),
            bus.subscribe("a", Heard()),
            bus.request("a", b"", timeout=1),
        ):
            with pytest.raises(BusUnavailable):
                await call
        await bus.close()

    medium.run(scene)


def test_D04_a_subscription_made_before_connecting_is_in_effect_afterwards(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        bus, heard = medium.open(), Heard()
        await bus.subscribe("a", heard)
        await bus.connect()
        await bus.publish("a", b"1")
        await heard.count(1)
        await bus.close()

    medium.run(scene)


def test_D04_closing_ends_the_handlers_under_way(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        gate = Gate()
        await theirs.subscribe("a", gate)
        await ours.publish("a", b"")
        await gate.entered.wait()
        await theirs.close()
        gate.opened.set()
        await asyncio.sleep(0)
        assert gate.heard.messages == []

    medium.run(scene)


def test_D04_a_handler_may_close_its_bus(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        closed = asyncio.Event()

        async def ends(_: Message) -> None:
            await theirs.close()
            closed.set()

        await theirs.subscribe("a", ends)
        await ours.publish("a", b"")
        async with asyncio.timeout(60):
            await closed.wait()

    medium.run(scene)


def test_D04_a_cancelled_publisher_and_a_cancelled_subscriber_leave_a_bus_that_works(medium: Medium) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        async def flood() -> None:
            while True:
                await ours.publish("flood", b"x" * 100_000)
                await asyncio.sleep(0)

        heard = Heard()
        await theirs.subscribe("flood", heard)
        tasks = [asyncio.create_task(flood()) for _ in range(3)]
        tasks.append(asyncio.create_task(_subscribe_often(ours)))
        await heard.count(20)
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(result, asyncio.CancelledError) for result in results)
        after = Heard()
        await theirs.subscribe("after", after)
        await ours.publish("after", b"")
        await after.count(1)

    medium.run(scene)


async def _subscribe_often(bus: Bus) -> None:
    while True:
        subscription = await bus.subscribe("other", Heard())
        await subscription.unsubscribe()
        await asyncio.sleep(0)
