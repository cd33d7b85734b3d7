"""What clients can make a server keep: bounded in number and in bytes, and given back (W04, W05, W06)."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict
from support.ws_clients import FakeClient, Json, clients, settle, until
from support.ws_service import ROUTES, Said, WatchedService

from trading_api.shared.ws import AnyRoute, AnyTopic, Conflate, Hub, WsLimits, WsRoute
from trading_api.shared.ws.limits import DEFAULT_LIMITS
from trading_api.shared.ws.message import Message


class Basket(BaseModel):
    """A subscription to several symbols, each a key of the topic."""

    model_config = ConfigDict(frozen=True)

    symbols: list[str]

    def count_keys(self) -> int:
        return len(set(self.symbols))


class Baskets(WsRoute[Basket, Said]):
    """Conflating."""

    route = "baskets"
    request_type = Basket
    data_type = Said
    delivery = Conflate


ALL: tuple[AnyRoute, ...] = (*ROUTES, Baskets)


class Feed(WatchedService):
    """Publishes one update of every symbol of a basket when it is created."""

    def __init__(self) -> None:
        super().__init__()
        self.on_create = lambda topic: self.tell(topic, "first")

    def tell(self, topic: AnyTopic, text: str) -> None:
        if isinstance(topic.request, Basket):
            for symbol in topic.request.symbols:
                topic.publish(Said(text=f"{symbol} {text}"), key=symbol)

    def tell_all(self, text: str) -> None:
        for topic in tuple(self.topics.values()):
            self.tell(topic, text)


def names(count: int, prefix: str = "S") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


def codes(replies: Sequence[Json]) -> list[str]:
    return [reply["payload"].get("code", "ok") for reply in replies]


def texts(client: FakeClient) -> list[str]:
    return [update["text"] for update in client.updates]


@contextmanager
def traced() -> Iterator[None]:
    gc.collect()
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()


def grown(since: int = 0) -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] - since


BASKETS = [names(200, f"{'N' * 10}{number}-") for number in range(10)]


@pytest.mark.slow
@pytest.mark.long
def test_W04_one_client_cannot_make_the_server_keep_more_than_a_few_times_what_it_sent() -> None:
    """The head of a frame holds the whole request, so a frame for each key would be its square."""

    async def run() -> None:
        service = Feed()
        hub = Hub(service, ALL)
        # Once before, for the JSON reader remembers short strings.
        await fill(hub, service)
        with traced():
            before = grown()
            kept = await fill(hub, service)
            assert 0 < kept < 2000 * 700 + 20 * len(json.dumps(BASKETS)), "700 bytes a symbol, and names a few times"
            assert grown(before) < kept / 20, "it is given back"

    asyncio.run(run())


async def fill(hub: Hub, service: Feed) -> int:
    """Hold as much as may be held, and go. Returns the bytes that were kept."""
    before = grown()
    async with clients(hub, 1) as (client,):
        for symbols in BASKETS:
            assert codes([await client.subscribe("baskets", symbols=symbols)]) == ["ok"]
            service.tell_all("again")
        client.socket.sent.clear()
        kept = grown(before)
    hub.open()
    service.calls.clear()
    return kept


def test_W05_a_frame_is_made_once_for_all_clients_and_not_kept_after_that() -> None:
    message = Message(b'"data"', b"head", b"tail")
    message.share()
    assert message.frame is message.frame
    assert message.asgi is message.asgi
    message.unshare()
    assert message.frame is not message.frame
    assert message.frame == b"\x81\x0ehead" + b'"data"tail'
    with traced():
        many = [Message(b"x", b"h" * 4000) for _ in range(100)]
        before = grown()
        for each in many:
            each.share()
            assert len(each.frame) > 4000
            each.unshare()
        assert grown(before) < 4000


def test_W05_the_updates_that_a_topic_keeps_hold_no_frames() -> None:
    async def run() -> None:
        service = Feed()
        async with clients(Hub(service, ALL), 3) as everybody:
            symbols = names(100, "N" * 30)
            for client in everybody:
                await client.subscribe("baskets", symbols=symbols)
            with traced():
                service.tell_all("again")
                for client in everybody:
                    client.socket.sent.clear()
                assert grown() < 100 * 700, "the topic's name alone has 3400 bytes"

    asyncio.run(run())


def test_W04_the_keys_of_all_subscriptions_of_a_client_are_bounded_and_another_may_still_subscribe() -> None:
    async def run() -> None:
        service = Feed()
        async with clients(Hub(service, ALL, WsLimits(held_keys=10)), 2) as (greedy, modest):
            wanted = [names(6), names(5, "T"), ["U", "U", "U", "V", "W", "V"], ["X"]]
            replies = [await greedy.subscribe("baskets", symbols=symbols) for symbols in wanted]
            assert codes(replies) == ["ok", "too_many_subscriptions", "ok", "ok"], "a repeat counts once"
            assert replies[1]["payload"]["detail"] == (
                "All subscriptions of a connection may be of 10 keys: 5 wanted, 4 left."
            )
            assert codes([await greedy.subscribe("strict", symbol="A")]) == ["too_many_subscriptions"]
            assert codes([await greedy.subscribe("baskets", symbols=names(6))]) == ["ok"], "it has it already"
            await greedy.unsubscribe("baskets", symbols=names(6))
            assert codes([await greedy.subscribe("baskets", symbols=names(5, "T"))]) == ["ok"]
            assert codes([await modest.subscribe("baskets", symbols=names(6))]) == ["ok"]
            assert len(service.calls) == len([call for call in service.calls if "create" in call]) + 1

    asyncio.run(run())


def test_W04_the_names_of_all_topics_of_a_client_are_bounded() -> None:
    async def run() -> None:
        async with clients(Hub(Feed(), ALL, WsLimits(held_bytes=100)), 1) as (client,):
            replies = [await client.subscribe("strict", symbol=letter * 40) for letter in "aäb"]
            assert codes(replies) == ["ok", "too_many_subscriptions", "too_many_subscriptions"]
            await client.unsubscribe("strict", symbol="a" * 40)
            assert codes([await client.subscribe("strict", symbol="b" * 40)]) == ["ok"]

    asyncio.run(run())


def test_W04_a_subscription_that_fails_takes_none_of_what_a_client_may_hold() -> None:
    def fail(_: object) -> None:
        raise OSError("no feed")

    async def run() -> None:
        service = Feed()
        async with clients(Hub(service, ALL, WsLimits(held_keys=3)), 1) as (client,):
            told, service.on_create = service.on_create, fail
            assert codes([await client.subscribe("baskets", symbols=names(3))]) == ["internal_error"]
            service.on_create = told
            assert codes([await client.subscribe("baskets", symbols=names(3))]) == ["ok"]

    asyncio.run(run())


@pytest.mark.parametrize(("sizes", "closed"), [([400, 400], False), ([400, 400, 400], True), ([5000], False)])
def test_W06_what_waits_for_a_client_is_bounded_in_bytes_but_one_update_always_may(
    sizes: list[int], closed: bool
) -> None:
    async def run() -> None:
        service = Feed()
        # Each update counts 256 bytes more than its data.
        async with clients(Hub(service, ALL, WsLimits(queue_bytes=1600)), 1) as (client,):
            await client.subscribe("strict", symbol="A")
            client.socket.writable = False
            service.say("strict:A", *("x" * size for size in sizes))
            assert (client.socket.closed is not None) is closed
            if not closed:
                client.socket.read_again()
                assert [len(text) for text in texts(client)] == sizes

    asyncio.run(run())


def test_W06_conflated_updates_are_bounded_in_bytes_also_as_they_are_replaced() -> None:
    async def run() -> None:
        service = Feed()
        async with clients(Hub(service, ALL, WsLimits(queue_bytes=1600)), 1) as (client,):
            await client.subscribe("baskets", symbols=names(2))
            client.socket.writable = False
            service.tell_all("x" * 400)
            service.tell_all("y" * 400)
            assert client.socket.closed is None
            service.tell_all("z" * 1200)
            assert client.socket.closed is not None

    asyncio.run(run())


def test_W04_a_client_that_reads_no_replies_is_not_read_from_once_half_the_bytes_are_taken() -> None:
    async def run() -> None:
        async with clients(Hub(Feed(), ALL, WsLimits(queue_bytes=4000)), 1) as (client,):
            client.socket.writable = False
            for _ in range(20):
                client.post("rubbish")
            await settle(50)
            client.socket.read_again()
            assert 3 < len(client.codes) < 10
            await until(lambda: len(client.codes) == 20)

    asyncio.run(run())


def test_W06_the_newest_updates_of_a_topic_are_bounded_in_bytes_but_the_last_is_always_kept() -> None:
    async def run() -> None:
        service = Feed()
        async with clients(Hub(service, ALL, WsLimits(keys_bytes=1600)), 3) as (one, two, three):
            await one.subscribe("strict", symbol="A")
            for key in "abcd":
                service.say("strict:A", key * 400, key=key)
            await two.subscribe("strict", symbol="A")
            assert [text[0] for text in texts(two)] == ["c", "d"]
            service.say("strict:A", "e" * 4000, key="e")
            await three.subscribe("strict", symbol="A")
            assert [text[0] for text in texts(three)] == ["e"]

    asyncio.run(run())


def test_W05_what_waits_for_many_clients_is_there_once_and_counts_once() -> None:
    async def run() -> None:
        service = Feed()
        hub = Hub(service, ALL)
        async with clients(hub, 20) as everybody:
            for number, client in enumerate(everybody):
                await client.subscribe("strict" if number % 2 else "newest", symbol="A")
                client.socket.writable = False
            before = hub.memory.used
            for route in ("strict", "newest"):
                service.say(f"{route}:A", "x" * 10_000)
            assert 20_000 < hub.memory.used - before < 21_000
            for client in everybody:
                client.socket.read_again()
            assert 20_000 < hub.memory.used - before < 21_000, "the topics keep them"
            for route in ("strict", "newest"):
                service.say(f"{route}:A", "y")
            assert hub.memory.used - before < 1000

    asyncio.run(run())


def test_W04_a_server_whose_memory_is_taken_refuses_new_topics_and_closes_slow_clients_until_there_is_room() -> None:
    async def run() -> None:
        service = Feed()
        hub = Hub(service, ALL, WsLimits(memory=20_000))
        async with clients(hub, 3) as (one, two, slow):
            await one.subscribe("strict", symbol="A")
            await slow.subscribe("strict", symbol="A")
            replies = [await one.subscribe("strict", symbol=symbol) for symbol in "BCDEFG"]
            refused = [reply for reply in replies if reply["type"] == "error"]
            assert refused
            assert refused[0]["payload"]["code"] == "refused"
            assert "memory" in refused[0]["payload"]["detail"]
            assert codes([await two.subscribe("strict", symbol="A")]) == ["ok"], "that topic is there"
            slow.socket.writable = False
            service.say("strict:A", *["x" * 1000] * 20)
            assert slow.socket.closed is not None
            assert len(texts(two)) == 20
            await one.unsubscribe("strict", symbol="B")
            await until(lambda: len(hub.topics) < 4)
            assert codes([await two.subscribe("strict", symbol="Z")]) == ["ok"]

    asyncio.run(run())


def test_W06_every_key_that_a_client_may_hold_has_room_to_wait() -> None:
    assert DEFAULT_LIMITS.held_keys <= DEFAULT_LIMITS.conflated
    assert DEFAULT_LIMITS.keys <= DEFAULT_LIMITS.queue // 2
    assert DEFAULT_LIMITS.keys_bytes <= DEFAULT_LIMITS.queue_bytes // 2

    async def run() -> None:
        service = Feed()
        hub = Hub(service, ALL)
        async with clients(hub, 1) as (client,):
            for number in range(DEFAULT_LIMITS.held_keys // 200):
                assert codes([await client.subscribe("baskets", symbols=names(200, f"{number}-"))]) == ["ok"]
            client.socket.writable = False
            for second in range(5):
                service.tell_all(str(second))
            assert client.socket.closed is None
            before = len(client.updates)
            client.socket.read_again()
            newest = texts(client)[before:]
            assert len(newest) == len(set(newest)) == DEFAULT_LIMITS.held_keys
            assert {text.split()[1] for text in newest} == {"4"}
            assert hub.statistics().disconnected_slow == 0

    asyncio.run(run())


def test_W06_a_slow_client_gets_its_conflating_topics_by_turns() -> None:
    async def run() -> None:
        service = Feed()
        async with clients(Hub(service, ALL), 1) as (client,):
            for prefix in "ab":
                await client.subscribe("baskets", symbols=names(3, prefix))
            client.socket.writable = False
            service.tell_all("x")
            client.socket.sent.clear()
            client.socket.read_again()
            assert texts(client) == ["a0 x", "b0 x", "a1 x", "b1 x", "a2 x", "b2 x"]

    asyncio.run(run())


ALWAYS, AT_TIMES = names(2, "T"), names(3)
STEPS = st.lists(st.sampled_from(["tell", "read one", "read", "stop", "leave", "come", "turn"]), max_size=40)


@given(steps=STEPS)
def test_W06_a_client_of_conflating_topics_is_never_closed_and_ends_with_the_newest_of_all(steps: list[str]) -> None:
    """There is not room for one update more than it may hold keys."""

    async def run() -> None:
        service = Feed()
        async with clients(Hub(service, ALL, WsLimits(held_keys=5, conflated=5)), 2) as (client, other):
            await other.subscribe("baskets", symbols=AT_TIMES)
            await client.subscribe("baskets", symbols=ALWAYS)
            for number, what in enumerate([*steps, "come", "turn"]):
                await step(service, client, what, str(number))
            service.tell_all("last")
            client.socket.read_again()
            assert client.socket.closed is None
            newest = {text.split()[0]: text.split()[1] for text in texts(client)}
            assert newest == dict.fromkeys([*ALWAYS, *AT_TIMES], "last")

    asyncio.run(run())


async def step(service: Feed, client: FakeClient, what: str, text: str) -> None:
    match what:
        case "tell":
            service.tell_all(text)
        case "read":
            client.socket.read_again()
        case "read one":
            client.socket.read_one()
        case "stop":
            client.socket.writable = False
        case "leave" | "come":
            verb = "subscribe" if what == "come" else "unsubscribe"
            client.post({"type": f"baskets.{verb}", "payload": {"symbols": AT_TIMES}})
        case "turn":
            await settle()
