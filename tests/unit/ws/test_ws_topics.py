"""The life of topics: made by the first subscriber, ended by the last, in every way there is (W03, W05)."""

import asyncio
import logging
from collections.abc import Callable

import pytest
from support.ws_clients import FakeClient, assert_nothing_left, clients, settle, until
from support.ws_service import ROUTES, AskTopic, Said, WatchedService

from trading_api.shared.ws import Hub, TopicRefused, WsLimits

A = 'strict:{"symbol":"A"}'


def hub_of(service: WatchedService, limits: WsLimits | None = None) -> Hub:
    return Hub(service, ROUTES, limits or WsLimits())


def test_W03_first_subscriber_creates_the_topic_and_the_last_ends_it() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 2) as (one, two):
            assert (await one.subscribe("strict", symbol="A"))["payload"]["topic"] == A
            await two.subscribe("strict", symbol="A")
            service.say("strict:A", "hello")
            await one.unsubscribe("strict", symbol="A")
            await settle()
            assert service.calls == [f"create {A}"]
            service.say("strict:A", "again")
            await two.unsubscribe("strict", symbol="A")
            await until(lambda: service.calls == [f"create {A}", f"remove {A}"])
        assert (one.updates, two.updates) == ([{"text": "hello"}], [{"text": "hello"}, {"text": "again"}])

    asyncio.run(run())


def end_by_unsubscribe(client: FakeClient) -> None:
    client.post({"type": "strict.unsubscribe", "payload": {"symbol": "A"}})


def end_by_hanging_up(client: FakeClient) -> None:
    client.hang_up()


def end_by_cancelling(client: FakeClient) -> None:
    client.task.cancel()


def end_by_flooding(client: FakeClient) -> None:
    for _ in range(500):
        client.post("rubbish")


@pytest.mark.parametrize("end", [end_by_unsubscribe, end_by_hanging_up, end_by_cancelling, end_by_flooding])
def test_W03_the_last_subscriber_ends_the_topic_however_it_goes(end: Callable[[FakeClient], None]) -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("strict", symbol="A")
            end(client)
            await until(lambda: service.calls == [f"create {A}", f"remove {A}"])

    asyncio.run(run())


def test_W03_the_slow_consumers_topics_end_with_it() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service, WsLimits(queue=4))
        async with clients(hub, 1) as (client,):
            await client.subscribe("strict", symbol="A")
            await client.subscribe("newest", symbol="B")
            client.socket.writable = False
            service.say("strict:A", *"12345")
            assert client.socket.closed == (1008, f"slow consumer of {A}")
            await client.gone()
            await until(lambda: not service.topics)
            assert hub.statistics().disconnected_slow == 1

    asyncio.run(run())


def test_W03_the_hub_ends_every_topic_when_it_closes_and_tells_the_clients() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service)
        async with clients(hub, 5) as all_:
            for number, client in enumerate(all_):
                await client.subscribe("strict", symbol=str(number))
            await hub.close()
            assert service.topics == {}
            assert [client.socket.closed for client in all_] == [(1012, "the server stops or restarts")] * 5

    asyncio.run(run())


def test_W03_a_topic_that_does_not_end_in_time_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service, WsLimits(stop_s=0.01))
        client = FakeClient(hub)
        await client.subscribe("strict", symbol="A")
        service.may_remove.clear()
        await hub.close()
        await client.gone()
        assert_nothing_left(hub)

    asyncio.run(run())
    assert "1 topics were not removed within 0.0 s and are given up" in caplog.text


def test_W03_subscribing_twice_counts_once() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service)
        async with clients(hub, 1) as (client,):
            for _ in range(3):
                assert (await client.subscribe("strict", symbol="A"))["payload"]["status"] == "ok"
            assert hub.statistics().subscriptions == 1
            service.say("strict:A", "once")
            assert client.updates == [{"text": "once"}]
            await client.unsubscribe("strict", symbol="A")
            await until(lambda: not service.topics)

    asyncio.run(run())


def test_W03_subscribers_of_a_topic_that_is_being_created_wait_for_that_creation() -> None:
    async def run() -> None:
        service = WatchedService()
        service.may_create.clear()
        async with clients(hub_of(service), 3) as (one, two, three):
            for client in (one, two, three):
                client.post({"type": "strict.subscribe", "payload": {"symbol": "A"}})
            await settle()
            assert service.calls == [f"create {A}"]
            assert one.sent == two.sent == three.sent == []
            # The first to ask goes; the others must not pay for it.
            one.task.cancel()
            await settle()
            service.may_create.set()
            await until(lambda: two.sent and three.sent)
            assert service.calls == [f"create {A}"]
            service.say("strict:A", "hello")
            assert two.updates == three.updates == [{"text": "hello"}]

    asyncio.run(run())


def test_W03_a_topic_whose_subscribers_left_while_it_was_created_is_removed() -> None:
    async def run() -> None:
        service = WatchedService()
        service.may_create.clear()
        async with clients(hub_of(service), 1) as (client,):
            client.post({"type": "strict.subscribe", "payload": {"symbol": "A"}})
            await settle()
            client.task.cancel()
            await settle()
            service.may_create.set()
            await until(lambda: service.calls == [f"create {A}", f"remove {A}"])

    asyncio.run(run())


def test_W03_a_subscriber_that_comes_while_the_topic_is_removed_gets_a_new_one() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 2) as (one, two):
            await one.subscribe("strict", symbol="A")
            old = service.topics[A]
            service.may_remove.clear()
            await one.unsubscribe("strict", symbol="A")
            two.post({"type": "strict.subscribe", "payload": {"symbol": "A"}})
            one.post({"type": "strict.subscribe", "payload": {"symbol": "A"}})
            await settle()
            assert service.calls == [f"create {A}", f"remove {A}"]
            service.may_remove.set()
            await until(lambda: two.sent and len(one.sent) == 3)
            assert service.calls == [f"create {A}", f"remove {A}", f"create {A}"]
            old.publish(Said(text="from the past"))
            service.say("strict:A", "hello")
            assert one.updates == two.updates == [{"text": "hello"}]

    asyncio.run(run())


def refuse(topic: AskTopic) -> None:
    raise TopicRefused("no such symbol")


def fail(topic: AskTopic) -> None:
    raise OSError("the secret path is away")


@pytest.mark.parametrize(("failure", "code"), [(refuse, "refused"), (fail, "internal_error")])
def test_W03_a_topic_that_cannot_be_created_is_an_error_reply_and_leaves_nothing(
    failure: Callable[[AskTopic], None], code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        service = WatchedService()
        service.on_create = failure
        hub = hub_of(service)
        async with clients(hub, 2) as (one, two):
            for client in (one, two):
                client.post({"type": "strict.subscribe", "payload": {"symbol": "A"}, "id": 7})
            await until(lambda: one.sent and two.sent)
            (reply,) = one.sent
            assert (reply["type"], reply["id"], reply["payload"]["code"]) == ("error", 7, code)
            assert "secret" not in reply["payload"]["detail"]
            assert one.sent == two.sent
            assert len(hub.topics) == hub.statistics().subscriptions == 0
            service.on_create = lambda _: None
            assert (await one.subscribe("strict", symbol="A"))["payload"]["status"] == "ok"
        assert service.calls == [f"create {A}", f"create {A}", f"remove {A}"]

    asyncio.run(run())
    assert ("create_topic failed" in caplog.text) == (code == "internal_error")


def test_W03_a_creation_that_hangs_is_an_error_reply(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        service = WatchedService()
        service.may_create.clear()
        async with clients(hub_of(service, WsLimits(create_s=0.01)), 1) as (client,):
            client.post({"type": "strict.subscribe", "payload": {"symbol": "A"}})
            async with asyncio.timeout(60):
                await client.socket.written.wait()
            assert client.codes == ["internal_error"]

    asyncio.run(run())
    assert "TimeoutError" in caplog.text


def test_W03_a_removal_that_fails_is_logged_and_the_topic_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        service = WatchedService()
        service.on_remove = fail
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("strict", symbol="A")
            await client.unsubscribe("strict", symbol="A")
            await until(lambda: not service.topics)
            service.on_remove = lambda _: None
            assert (await client.subscribe("strict", symbol="A"))["payload"]["status"] == "ok"
        assert service.calls == [f"create {A}", f"remove {A}"] * 2

    asyncio.run(run())
    (record,) = (record for record in caplog.records if record.levelno == logging.ERROR)
    assert record.getMessage() == f"remove_topic failed: {A}"


def test_W05_a_strangers_unsubscribe_is_an_error_and_touches_nobody() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 2) as (subscriber, stranger):
            await subscriber.subscribe("strict", symbol="A")
            reply = await stranger.unsubscribe("strict", symbol="A")
            assert reply["payload"]["code"] == "not_subscribed"
            service.say("strict:A", "still here")
            assert (subscriber.updates, stranger.updates) == ([{"text": "still here"}], [])
            assert service.calls == [f"create {A}"]

    asyncio.run(run())


def test_W04_subscriptions_of_one_client_are_bounded_and_another_may_still_subscribe() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service, WsLimits(subscriptions=2)), 2) as (greedy, modest):
            replies = [await greedy.subscribe("strict", symbol=symbol) for symbol in "ABCA"]
            assert [reply["payload"].get("code", "ok") for reply in replies] == [
                "ok",
                "ok",
                "too_many_subscriptions",
                "ok",
            ]
            await greedy.unsubscribe("strict", symbol="A")
            assert (await greedy.subscribe("strict", symbol="C"))["payload"]["status"] == "ok"
            assert (await modest.subscribe("strict", symbol="A"))["payload"]["status"] == "ok"

    asyncio.run(run())


def test_W04_a_client_may_resume_all_its_subscriptions_at_once_but_not_send_anything_else_so_fast() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service, WsLimits(messages_per_s=0.001, burst=5))
        async with clients(hub, 1) as (client,):
            for number in range(100):
                client.post({"type": "strict.subscribe", "payload": {"symbol": str(number)}})
            await until(lambda: len(client.sent) == 100)
            assert client.codes == []
            for _ in range(9):
                client.post({"type": "strict.unsubscribe", "payload": {"symbol": "x"}, "id": 1})
            await until(lambda: len(client.codes) == 9)
            assert client.codes == ["not_subscribed"] * 5 + ["rate_limited"] * 4
            assert client.sent[-1]["id"] == 1
            for _ in range(2):
                client.post("too many")
            await until(lambda: client.socket.closed)
            assert client.socket.closed == (1008, "flooding: too many messages")
            assert hub.statistics().disconnected_flooding == 1

    asyncio.run(run())


@pytest.mark.slow
@pytest.mark.long
def test_W03_nothing_is_left_after_10_000_cycles() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service)
        for number in range(10_000):
            client = FakeClient(hub)
            await client.subscribe("strict", symbol="A")
            client.hang_up() if number % 2 else client.task.cancel()
            await asyncio.wait({client.task})
        await until(lambda: not len(hub.topics))
        assert_nothing_left(hub)
        assert service.topics == {}
        assert hub.statistics().accepted == hub.statistics().topics_created == 10_000

    asyncio.run(run())
