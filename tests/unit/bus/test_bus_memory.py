"""What is special to the bus in memory, and to what both share."""

import asyncio
import contextvars

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bus_ends import Gate, Heard

from trading_api.shared.bus import MemoryBus, Message, NoResponder, Subscription
from trading_api.shared.bus.delivery import MAX_BYTES, MAX_MESSAGES, Delivery
from trading_api.shared.bus.subject import matches

SUBJECTS = ("a", "a.b", "a.c", "b.c")
PATTERNS = (*SUBJECTS, "*", "a.*", "*.c", "a.>", ">")
publish = st.tuples(st.just("publish"), st.sampled_from(SUBJECTS))
subscribe = st.tuples(st.just("subscribe"), st.sampled_from(PATTERNS))
unsubscribe = st.tuples(st.just("unsubscribe"), st.integers(0, 5).map(str))


@given(st.lists(st.one_of(publish, subscribe, unsubscribe), max_size=40))
def test_D04_each_hears_in_order_what_was_published_while_it_was_subscribed(steps: list[tuple[str, str]]) -> None:
    async def run() -> None:
        bus = MemoryBus()
        await bus.connect()
        live: list[tuple[Subscription, Heard, list[bytes]]] = []
        every: list[tuple[Heard, list[bytes]]] = []
        for number, (what, operand) in enumerate(steps):
            if what == "publish":
                await bus.publish(operand, str(number).encode())
                for subscription, _, expected in live:
                    if matches(subscription.subject, operand):
                        expected.append(str(number).encode())
                # So that nothing waits when somebody unsubscribes: that is dropped, which another test proves.
                await asyncio.sleep(0)
            elif what == "subscribe":
                heard = Heard()
                live.append((await bus.subscribe(operand, heard), heard, []))
                every.append(live[-1][1:])
            elif live:
                await live.pop(int(operand) % len(live))[0].unsubscribe()
        assert [heard.data for heard, _ in every] == [expected for _, expected in every]
        await bus.close()

    asyncio.run(run())


@given(st.lists(st.integers(0, 3), min_size=1, max_size=12))
def test_D04_what_waits_is_the_newest_within_both_bounds(sizes: list[int]) -> None:
    """Sizes in quarters of all that may wait."""

    async def run() -> None:
        gate = Gate()
        delivery = Delivery("a", gate)
        delivery.offer(Message("a", b""))
        await gate.entered.wait()
        given = [Message(str(number), bytes(size * (MAX_BYTES // 4))) for number, size in enumerate(sizes)]
        for message in given:
            delivery.offer(message)
        kept: list[Message] = []
        for message in reversed(given):
            if sum(len(each.data) for each in [*kept, message]) > MAX_BYTES:
                break
            kept.insert(0, message)
        assert delivery.dropped == len(given) - len(kept)
        gate.opened.set()
        while len(gate.heard.messages) < 1 + len(kept):
            await asyncio.sleep(0)
        assert gate.heard.messages[1:] == kept

    asyncio.run(run())


def test_D04_a_publisher_that_never_waits_lets_the_handlers_keep_up() -> None:
    async def run() -> None:
        bus, heard = MemoryBus(), Heard()
        await bus.connect()
        subscription = await bus.subscribe("a", heard)
        for _ in range(3 * MAX_MESSAGES):
            await bus.publish("a", b"")
        await heard.count(3 * MAX_MESSAGES)
        assert subscription.dropped == 0
        await bus.close()

    asyncio.run(run())


def test_D04_handlers_run_in_the_context_of_whoever_subscribed() -> None:
    """Not with the request id of whoever published or asked."""
    who = contextvars.ContextVar("who", default="nobody")
    seen: list[str] = []

    async def note(_: Message) -> None:
        seen.append(who.get())

    async def answer(_: bytes) -> bytes:
        return who.get().encode()

    async def run() -> None:
        bus = MemoryBus()
        await bus.connect()
        who.set("subscriber")
        await bus.subscribe("a", note)
        await bus.serve("a", answer)
        who.set("publisher")
        await bus.publish("a", b"")
        assert await bus.request("a", b"", timeout=30) == b"subscriber"
        await bus.close()

    asyncio.run(run())
    assert seen == ["subscriber"]


def test_D04_what_ended_leaves_nothing_behind() -> None:
    async def answer(data: bytes) -> bytes:
        return data

    async def run() -> None:
        bus = MemoryBus()
        empty = {name: len(value) for name, value in vars(bus).items() if hasattr(value, "__len__")}
        await bus.connect()
        for number in range(10):
            subscriptions = [
                await bus.subscribe(f"a.{number}", Heard()),
                await bus.subscribe(f"{number}.*", Heard()),
                await bus.serve(f"a.{number}", answer),
            ]
            await bus.request(f"a.{number}", b"", timeout=5)
            for subscription in subscriptions:
                await subscription.unsubscribe()
            with pytest.raises(NoResponder):
                await bus.request(f"a.{number}", b"", timeout=5)
        assert {name: len(value) for name, value in vars(bus).items() if hasattr(value, "__len__")} == empty
        assert len(asyncio.all_tasks()) == 1
        await bus.close()

    asyncio.run(run())
