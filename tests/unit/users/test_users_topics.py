"""Topics that belong to users: the same words from two users are two topics (D03)."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.user_module import ROUTES, OwnedService, Said
from support.ws_clients import FakeClient, assert_nothing_left, settle, until

from trading_api.shared.users import Identity, User, expiry
from trading_api.shared.users.expiry import closed_at
from trading_api.shared.ws import Hub

NAME = 'secrets:{"word":"hello"}'


@asynccontextmanager
async def connected(hub: Hub, *users: str | None) -> AsyncIterator[list[FakeClient]]:
    """A client of each user; None for a module that needs none. Nothing is left afterwards."""
    found = [FakeClient(hub, Identity(User(user)) if user else None) for user in users]
    await settle()
    try:
        yield found
    finally:
        for client in found:
            client.hang_up()
        await asyncio.wait({client.task for client in found})
        await hub.close()
        assert_nothing_left(hub)


def test_D03_two_users_who_ask_the_same_never_share_a_topic() -> None:
    async def run() -> None:
        service = OwnedService()
        async with connected(Hub(service, ROUTES), "alice", "bob") as (alice, bob):
            replies = [await client.subscribe("secrets", word="hello") for client in (alice, bob)]
            assert [reply["payload"]["topic"] for reply in replies] == [NAME, NAME], "on the wire it stays as asked"
            assert (alice.updates, bob.updates) == ([{"to": "alice"}], [{"to": "bob"}])
            service.topics["bob", NAME].publish(Said(to="bob only"))
            await settle()
            assert (alice.updates[1:], bob.updates[1:]) == ([], [{"to": "bob only"}])
            assert {topic.user for topic in service.topics.values()} == {User("alice"), User("bob")}

    asyncio.run(run())


def test_D03_the_newest_update_of_another_user_is_never_sent() -> None:
    async def run() -> None:
        service = OwnedService()
        async with connected(Hub(service, ROUTES), "alice", "bob", "alice") as (alice, bob, again):
            await alice.subscribe("secrets", word="hello")
            service.topics["alice", NAME].publish(Said(to="alice's newest"))
            await bob.subscribe("secrets", word="hello")
            await again.subscribe("secrets", word="hello")
            await settle()
            assert bob.updates == [{"to": "bob"}]
            assert again.updates == [{"to": "alice's newest"}], "her own clients do share it"
            assert service.calls == ["create alice", "create bob"]

    asyncio.run(run())


def test_D03_one_users_last_client_removes_only_that_users_topic() -> None:
    async def run() -> None:
        service = OwnedService()
        hub = Hub(service, ROUTES)
        async with connected(hub, "alice", "bob") as (alice, bob):
            for client in (alice, bob):
                await client.subscribe("secrets", word="hello")
            assert (hub.statistics().topics, hub.statistics().subscriptions) == (2, 2)
            assert (await alice.unsubscribe("secrets", word="hello"))["payload"]["status"] == "ok"
            await until(lambda: service.calls[-1] == "remove alice")
            service.topics["bob", NAME].publish(Said(to="still bob"))
            await settle()
            assert bob.updates[-1] == {"to": "still bob"}
            assert alice.codes == []
            assert (await alice.unsubscribe("secrets", word="hello"))["payload"]["code"] == "not_subscribed"

    asyncio.run(run())


def test_D03_what_one_user_is_refused_is_not_refused_to_another() -> None:
    async def run() -> None:
        async with connected(Hub(OwnedService(), ROUTES), "alice", "bob") as (alice, bob):
            told = [(await client.subscribe("secrets", word="refused"))["payload"]["detail"] for client in (alice, bob)]
            assert told == ["not for alice", "not for bob"]

    asyncio.run(run())


def test_D03_a_user_resumes_what_is_theirs() -> None:
    async def run() -> None:
        async with connected(Hub(OwnedService(), ROUTES), "alice", "bob") as (alice, bob):
            await alice.subscribe("letters", since=4, word="x")
            await bob.subscribe("letters", since=9, word="x")
            await settle()
            assert (alice.updates, alice.seqs) == ([{"to": "alice"}], [5])
            assert (bob.updates, bob.seqs) == ([{"to": "bob"}], [10])

    asyncio.run(run())


def test_D03_without_users_topics_are_everybodys() -> None:
    async def run() -> None:
        service = OwnedService()
        async with connected(Hub(service, ROUTES), None, None) as (one, two):
            for client in (one, two):
                await client.subscribe("secrets", word="hello")
            assert service.calls == ["create nobody"]
            assert (one.updates, two.updates) == ([{"to": "nobody"}], [{"to": "nobody"}])

    asyncio.run(run())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["subscribe", "unsubscribe", "publish"])), max_size=25))
def test_D03_no_update_ever_reaches_another_user(steps: list[tuple[int, str]]) -> None:
    users = ["alice", "bob", "alice", "default"]

    async def run() -> None:
        service = OwnedService()
        async with connected(Hub(service, ROUTES), *users) as found:
            for index, step in steps:
                if step == "publish":
                    topic = service.topics.get((users[index], NAME))
                    if topic is not None:
                        topic.publish(Said(to=users[index]))
                else:
                    await (found[index].subscribe if step == "subscribe" else found[index].unsubscribe)(
                        "secrets", word="hello"
                    )
            await settle()
            for user, client in zip(users, found, strict=True):
                assert {update["to"] for update in client.updates} <= {user}

    asyncio.run(run())


def test_D03_a_connection_ends_when_its_token_expires() -> None:
    async def run() -> None:
        service = OwnedService()
        hub = Hub(service, ROUTES)
        soon = time.time() + 0.05
        client = FakeClient(hub, Identity(User("alice"), soon))
        await client.subscribe("secrets", word="hello")
        await client.gone()
        assert client.socket.closed == (1008, "the token expired")
        assert time.time() >= soon
        await until(lambda: not service.topics)
        assert_nothing_left(hub)

    asyncio.run(run())


def test_D03_a_token_that_expired_before_the_first_message_ends_it_too() -> None:
    async def run() -> None:
        hub = Hub(OwnedService(), ROUTES)
        client = FakeClient(hub, Identity(User("alice"), time.time() - 1))
        await client.gone()
        assert client.socket.closed == (1008, "the token expired")

    asyncio.run(run())


@pytest.mark.parametrize("left", [None, 1e12])
def test_D03_a_connection_that_ends_before_leaves_no_timer(left: float | None) -> None:
    async def run() -> None:
        closed: list[int] = []
        with closed_at(None if left is None else time.time() + left, lambda: closed.append(1)):
            await settle()
        timers = [timer for timer in getattr(asyncio.get_running_loop(), "_scheduled", ()) if not timer.cancelled()]
        assert (timers, closed) == ([], [])

    asyncio.run(run())


def test_D03_a_wall_clock_that_jumps_is_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    # What is waited between two looks; by the loop's own clock alone it would be 50 seconds here.
    monkeypatch.setattr(expiry, "_LOOK_S", 0.001)

    async def run() -> None:
        # A machine that slept, whose loop was asleep as well: at each look 40 seconds have gone.
        times = iter((1000.0, 1040.0, 1080.0))
        closed = asyncio.Event()
        with closed_at(1050.0, closed.set, lambda: next(times)):
            await asyncio.wait_for(closed.wait(), 60)
        assert list(times) == []

    asyncio.run(run())
