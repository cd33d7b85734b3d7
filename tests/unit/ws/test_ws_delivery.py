"""Delivery to slow and quick clients: in order, bounded, conflated or not, and resumed (W05, W06, W07)."""

import asyncio
import logging
from typing import Any

import pytest
from pydantic_core import PydanticSerializationError
from support.ws_clients import FakeClient, clients, settle, until
from support.ws_service import ROUTES, AskTopic, Said, WatchedService

from trading_api.shared.ws import CannotResume, Hub, SequencedUpdate, WsLimits

SMALL = WsLimits(queue=8, conflated=8, keys=4)


def hub_of(service: WatchedService, limits: WsLimits = SMALL) -> Hub:
    return Hub(service, ROUTES, limits)


def texts(client: FakeClient) -> list[str]:
    return [update["text"] for update in client.updates]


def test_W02_an_update_names_its_topic_and_carries_the_data() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("strict", symbol="Ä")
            service.say("strict:Ä", 'he said "ö"')
        topic = 'strict:{"symbol":"Ä"}'
        assert client.sent[-1] == {
            "type": "strict.update",
            "payload": {"topic": topic, "payload": {"text": 'he said "ö"'}},
        }

    asyncio.run(run())


def test_W06_a_slow_client_of_a_strict_topic_gets_all_in_order_when_it_reads_again() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("strict", symbol="A")
            client.socket.writable = False
            service.say("strict:A", *"12345678")
            assert client.updates == []
            client.socket.read_again()
            service.say("strict:A", "9")
        assert texts(client) == list("123456789")

    asyncio.run(run())


def test_W06_one_update_too_many_closes_the_slow_client_and_no_other(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service)
        async with clients(hub, 3) as (slow, quick, other):
            for client in (slow, quick):
                await client.subscribe("strict", symbol="A")
            await other.subscribe("strict", symbol="B")
            slow.socket.writable = False
            service.say("strict:A", *"123456789x")
            assert slow.socket.closed == (1008, 'slow consumer of strict:{"symbol":"A"}')
            assert quick.socket.closed is other.socket.closed is None
            assert texts(quick) == list("123456789x")
            slow.socket.read_again()
            assert slow.updates == []
            assert hub.statistics().disconnected_slow == 1
            assert [record.levelno for record in caplog.records] == [logging.WARNING]

    asyncio.run(run())


def test_W06_the_reason_of_a_close_fits_a_close_frame() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("strict", symbol="ü" * 200)
            client.socket.writable = False
            service.say("strict:" + "ü" * 200, *"123456789")
            assert client.socket.closed is not None
            code, reason = client.socket.closed
            assert code == 1008
            assert 100 < len(reason.encode()) <= 123

    asyncio.run(run())


def test_W06_a_slow_client_of_a_conflating_topic_gets_the_newest_of_each_key_in_the_first_ones_place() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service)
        async with clients(hub, 1) as (client,):
            await client.subscribe("newest", symbol="A")
            client.socket.writable = False
            for number in range(1000):
                for key in "ab":
                    service.say("newest:A", f"{key}{number}", key=key)
            client.socket.read_again()
            service.say("newest:A", "a1000", key="a")
            assert texts(client) == ["a999", "b999", "a1000"]
            now = hub.statistics()
            assert (now.conflated, now.disconnected_slow, now.delivered) == (1998, 0, 2001)

    asyncio.run(run())


def test_W06_a_quick_client_of_a_conflating_topic_gets_every_update() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 2) as (quick, slow):
            for client in (quick, slow):
                await client.subscribe("newest", symbol="A")
            slow.socket.writable = False
            service.say("newest:A", *"12345")
            slow.socket.read_again()
        assert (texts(quick), texts(slow)) == (list("12345"), ["5"])

    asyncio.run(run())


def test_W06_more_keys_than_anybody_keeps_close_the_slow_client() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("newest", symbol="A")
            client.socket.writable = False
            for number in range(8):
                service.say("newest:A", "x", key=str(number))
            assert client.socket.closed is None
            service.say("newest:A", "x", key="8")
            assert client.socket.closed == (1008, 'slow consumer of newest:{"symbol":"A"}')

    asyncio.run(run())


def test_W06_what_waits_of_a_conflating_topic_is_not_sent_after_an_unsubscribe() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 2) as (client, other):
            for each in (client, other):
                await each.subscribe("newest", symbol="A")
            client.socket.writable = False
            service.say("newest:A", "old")
            client.post({"type": "newest.unsubscribe", "payload": {"symbol": "A"}})
            client.post({"type": "newest.subscribe", "payload": {"symbol": "A"}})
            await settle()
            service.say("newest:A", "new")
            client.socket.read_again()
            kinds = [frame["type"].partition(".")[2] for frame in client.sent]
            assert kinds == ["subscribe.response", "unsubscribe.response", "subscribe.response", "update"]
            assert texts(client) == ["new"]

    asyncio.run(run())


@pytest.mark.parametrize("route", ["strict", "newest"])
def test_W06_a_new_subscriber_gets_the_newest_of_each_key_at_once_after_its_reply(route: str) -> None:
    async def run() -> None:
        service = WatchedService()
        service.on_create = lambda topic: topic.publish(Said(text="first"), key="a")
        hub = hub_of(service)
        async with clients(hub, 2) as (one, two):
            await one.subscribe(route, symbol="A")
            assert texts(one) == ["first"]
            for key, text in (("a", "1"), ("b", "2"), ("a", "3")):
                service.say(f"{route}:A", text, key=key)
            await two.subscribe(route, symbol="A")
            assert [frame["type"] for frame in two.sent] == [f"{route}.subscribe.response"] + [f"{route}.update"] * 2
            assert texts(two) == ["2", "3"]
            assert hub.statistics().delivered == 1 + 3 + 2, "the first ones count too"

    asyncio.run(run())


def test_W06_the_keys_whose_newest_update_is_kept_are_bounded() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 2) as (one, two):
            await one.subscribe("strict", symbol="A")
            for number in range(1000):
                service.say("strict:A", str(number), key=str(number))
            await two.subscribe("strict", symbol="A")
            assert texts(two) == ["996", "997", "998", "999"]

    asyncio.run(run())


def test_W04_a_client_that_does_not_read_its_replies_is_not_read_from() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = hub_of(service)
        async with clients(hub, 1) as (client,):
            client.socket.writable = False
            for _ in range(100):
                client.post("rubbish")
            await settle(200)
            assert hub.statistics().errors == 5
            client.socket.read_again()
            await until(lambda: len(client.codes) == 100)

    asyncio.run(run())


@pytest.mark.parametrize(("route", "seq"), [("strict", 1), ("newest", 1), ("logged", None)])
def test_W07_only_updates_of_durable_routes_carry_a_seq(route: str, seq: int | None) -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe(route, symbol="A")
            with pytest.raises(ValueError, match="have a seq"):
                service.topic(f"{route}:A").publish(Said(text="x"), seq=seq)

    asyncio.run(run())


def test_W07_without_since_nothing_of_the_past_is_sent() -> None:
    async def run() -> None:
        service = WatchedService()
        service.append("logged:A", 1, 2)
        async with clients(hub_of(service), 2) as (one, two):
            await one.subscribe("logged", symbol="A")
            service.append("logged:A", 3)
            await two.subscribe("logged", symbol="A")
            service.append("logged:A", 4)
            assert (one.seqs, two.seqs) == ([3, 4], [4])
            assert one.updates[0] == {"text": "3"}
        assert not any(call.startswith("replay") for call in service.calls)

    asyncio.run(run())


def test_W07_since_replays_what_was_missed_once_and_in_order_while_updates_are_published() -> None:
    async def run() -> None:
        service = WatchedService()
        service.append("logged:A", 1, 2, 5)
        service.may_replay.clear()
        async with clients(hub_of(service), 2) as (witness, client):
            await witness.subscribe("logged", symbol="A")
            client.post({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": 1, "id": "r"})
            await settle()
            # 6 is published between the question and the answer; 7, below, is in both.
            service.append("logged:A", 6)
            service.on_replay = lambda _: service.append("logged:A", 7)
            service.may_replay.set()
            await until(lambda: client.sent)
            service.append("logged:A", 8)
            await until(lambda: client.seqs[-1:] == [8])
            assert (client.sent[0]["type"], client.sent[0]["id"]) == ("logged.subscribe.response", "r")
            assert client.seqs == [2, 5, 6, 7, 8]
            assert witness.seqs == [6, 7, 8]

    asyncio.run(run())


def test_W07_a_repeated_or_late_seq_is_dropped() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("logged", symbol="A")
            service.append("logged:A", 1, 2, 2, 1, 3)
        assert client.seqs == [1, 2, 3]

    asyncio.run(run())


def test_W07_what_the_replay_holds_already_is_not_sent_again_when_it_is_published() -> None:
    async def run() -> None:
        service = WatchedService()
        service.log = [SequencedUpdate(seq, Said(text=str(seq))) for seq in (1, 2, 3)]
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("logged", symbol="A", since=0)
            topic = service.topic("logged:A")
            for seq in (2, 3, 4):
                topic.publish(Said(text=str(seq)), seq=seq)
        assert client.seqs == [1, 2, 3, 4]

    asyncio.run(run())


def test_W07_a_replay_longer_than_the_queue_goes_as_fast_as_the_client_reads() -> None:
    async def run() -> None:
        service = WatchedService()
        service.append("logged:A", *range(1, 1001))
        async with clients(hub_of(service), 1) as (client,):
            client.socket.writable = False
            client.post({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": 0})
            await settle(50)
            service.append("logged:A", 1001, 1002)
            assert client.socket.closed is None
            while not client.seqs or client.seqs[-1] != 1002:
                client.socket.read_again()
                client.socket.writable = False
                await settle()
            assert client.seqs == list(range(1, 1003))
            client.socket.read_again()
            service.append("logged:A", 1003)
            assert client.seqs[-1] == 1003

    asyncio.run(run())


def test_W07_too_many_updates_during_a_replay_close_the_slow_client_for_it_may_miss_none() -> None:
    async def run() -> None:
        service = WatchedService()
        service.append("logged:A", *range(1, 101))
        async with clients(hub_of(service), 1) as (client,):
            client.socket.writable = False
            client.post({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": 0})
            await settle(50)
            service.append("logged:A", *range(101, 110))
            assert client.socket.closed == (1008, 'slow consumer of logged:{"symbol":"A"}')
            await client.gone()

    asyncio.run(run())


def test_W07_since_on_a_subscription_that_is_there_replays_nothing_twice() -> None:
    async def run() -> None:
        service = WatchedService()
        service.append("logged:A", 1, 2)
        async with clients(hub_of(service), 1) as (client,):
            # The second may be the same request once more, by one whom the answer did not reach in time.
            payloads = [(await client.subscribe("logged", symbol="A", since=0))["payload"] for _ in range(2)]
            assert [payload["status"] for payload in payloads] == ["ok", "ok"]
            assert ["replays nothing" in payload["message"] for payload in payloads] == [False, True]
        assert client.seqs == [1, 2]

    asyncio.run(run())


def cannot(since: int) -> None:
    raise CannotResume(f"nothing is known of {since}")


def broken(since: int) -> None:
    raise OSError("the secret path is away")


@pytest.mark.parametrize(("failure", "code"), [(cannot, "cannot_resume"), (broken, "internal_error")])
def test_W07_a_replay_that_fails_is_an_error_reply_and_leaves_no_subscription(
    failure: Any, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def run() -> None:
        service = WatchedService()
        service.on_replay = failure
        hub = hub_of(service)
        async with clients(hub, 1) as (client,):
            reply = await client.subscribe("logged", symbol="A", since=3)
            assert reply["payload"]["code"] == code
            assert "secret" not in reply["payload"]["detail"]
            assert hub.statistics().subscriptions == 0
            await until(lambda: not service.topics)
            service.on_replay = lambda _: None
            assert (await client.subscribe("logged", symbol="A", since=3))["payload"]["status"] == "ok"

    asyncio.run(run())
    assert ("replay failed" in caplog.text) == (code == "internal_error")


def test_W03_a_client_that_goes_during_a_replay_leaves_nothing() -> None:
    async def run() -> None:
        service = WatchedService()
        service.may_replay.clear()
        async with clients(hub_of(service), 1) as (client,):
            client.post({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": 0})
            await until(lambda: service.topics)
            await settle()
            service.append("logged:A", 1, 2)
            client.task.cancel()
            await until(lambda: not service.topics)

    asyncio.run(run())


def test_W05_data_that_cannot_be_written_is_the_publishers_error_and_nobody_elses() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(hub_of(service), 1) as (client,):
            await client.subscribe("strict", symbol="A")
            topic: AskTopic = service.topic("strict:A")
            with pytest.raises(PydanticSerializationError):
                topic.publish(object())  # type: ignore[arg-type]
            service.say("strict:A", "goes on")
        assert texts(client) == ["goes on"]

    asyncio.run(run())
