"""Updates that are no JSON, or no text: sent replaced, or told; never missed unknowingly (W07)."""

import asyncio

import pytest
from support.ws_clients import clients, until
from support.ws_service import ROUTES, Said, WatchedService

from trading_api.shared.ws import Hub, SequencedUpdate

HALF = "x\ud800"
UNSENDABLE = Said.model_construct(text=object())


@pytest.mark.parametrize("route", ["strict", "newest"])
def test_W05_a_text_that_no_utf8_holds_is_sent_replaced(route: str) -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(Hub(service, ROUTES), 2) as (first, second):
            await first.subscribe(route, symbol="A")
            service.say(f"{route}:A", HALF, "ö")
            await second.subscribe(route, symbol="A")
            service.say(f"{route}:A", "z")
        assert [each["text"] for each in first.updates] == ["x?", "ö", "z"]

    asyncio.run(run())


def test_W07_a_text_that_no_utf8_holds_is_replayed_replaced() -> None:
    async def run() -> None:
        service = WatchedService()
        service.log = [SequencedUpdate(1, Said(text="a")), SequencedUpdate(2, Said.model_construct(text=HALF))]
        async with clients(Hub(service, ROUTES), 1) as (client,):
            await client.subscribe("logged", symbol="A", since=0)
            await until(lambda: client.seqs == [1, 2])
        assert client.updates[1]["text"] == "x?"

    asyncio.run(run())


def test_W07_a_replay_with_what_cannot_be_sent_cannot_be_resumed_and_the_connection_stays() -> None:
    async def run() -> None:
        service = WatchedService()
        hub = Hub(service, ROUTES)
        service.log = [SequencedUpdate(1, Said(text="a")), SequencedUpdate(2, UNSENDABLE)]
        async with clients(hub, 1) as (client,):
            told = (await client.subscribe("logged", symbol="A", since=0))["payload"]
            assert (told["code"], told["request_type"]) == ("cannot_resume", "logged.subscribe")
            assert told["detail"] == "Update 2 cannot be sent: subscribe without `since`, then read the state anew."
            assert hub.statistics().subscriptions == 0
            assert (await client.subscribe("logged", symbol="A"))["payload"]["status"] == "ok"
            service.append("logged:A", 3)
            assert client.seqs == [3]
            assert client.socket.closed is None

    asyncio.run(run())


def test_W07_subscribers_of_a_topic_that_fails_are_closed_and_no_others() -> None:
    async def run() -> None:
        service = WatchedService()
        async with clients(Hub(service, ROUTES), 3) as (one, two, other):
            await one.subscribe("logged", symbol="A")
            await two.subscribe("logged", symbol="A", since=0)
            await other.subscribe("logged", symbol="B")
            service.topic("logged:A").fail()
            for client in (one, two):
                assert client.socket.closed == (1011, 'cannot send an update of logged:{"symbol":"A"}')
            assert other.socket.closed is None

    asyncio.run(run())
