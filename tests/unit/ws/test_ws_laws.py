"""Laws that hold for every order of events: reference counts, conflation, replay (W03, W06, W07)."""

import asyncio
from collections.abc import Awaitable, Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from support.ws_clients import FakeClient, clients, settle
from support.ws_service import ROUTES, Said, WatchedService

from trading_api.shared.ws import Hub, WsLimits

CLIENTS = 3
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["subscribe", "unsubscribe", "hang up", "cancel", "wait", "hold", "go", "say"]),
        st.integers(0, CLIENTS - 1),
        st.sampled_from("AB"),
    ),
    max_size=40,
)


@given(steps=STEPS)
def test_W03_topics_live_exactly_as_long_as_they_have_subscribers(steps: list[tuple[str, int, str]]) -> None:
    """The service asserts by itself that nothing is created twice or removed without having been created."""

    async def run() -> None:
        service = WatchedService()
        hub = Hub(service, ROUTES, WsLimits(burst=1000))
        async with clients(hub, CLIENTS) as all_:
            for what, index, symbol in steps:
                await step(service, hub, all_, what, index, symbol)
            for gate in (service.may_create, service.may_remove):
                gate.set()
            await settle(100)
            wanted = {
                symbol for symbol in "AB" for client in all_ if not client.task.done() and is_subscribed(client, symbol)
            }
            assert {topic.request.symbol for topic in service.topics.values()} == wanted
            assert len(hub.topics) == len(wanted)
            for topic in service.topics.values():
                holders = [
                    client for client in all_ if not client.task.done() and is_subscribed(client, topic.request.symbol)
                ]
                assert topic.subscribers == len(holders)

    asyncio.run(run())


async def step(service: WatchedService, hub: Hub, all_: list[FakeClient], what: str, index: int, symbol: str) -> None:
    client = all_[index]
    match what:
        case "subscribe" | "unsubscribe":
            client.post({"type": f"strict.{what}", "payload": {"symbol": symbol}})
        case "hang up" | "cancel":
            client.hang_up() if what == "hang up" else client.task.cancel()
            all_[index] = FakeClient(hub)
        case "wait":
            await settle()
        case "hold" | "go":
            for gate in (service.may_create, service.may_remove):
                gate.clear() if what == "hold" else gate.set()
        case "say":
            for topic in tuple(service.topics.values()):
                topic.publish(Said(text="x"))
    await asyncio.sleep(0)


def is_subscribed(client: FakeClient, symbol: str) -> bool:
    """What the replies that the client got add up to."""
    topic = f'strict:{{"symbol":"{symbol}"}}'
    verbs = [frame["type"] for frame in client.sent if frame["payload"].get("topic") == topic]
    replies = [verb for verb in verbs if verb.endswith(".response")]
    return bool(replies) and replies[-1] == "strict.subscribe.response"


@given(
    steps=st.lists(st.one_of(st.sampled_from("abc"), st.just("read"), st.just("stop")), max_size=60),
)
def test_W06_after_conflation_the_newest_of_each_key_arrives_and_never_an_older_one_after_it(steps: list[str]) -> None:
    async def run() -> None:
        service = WatchedService()
        hub = Hub(service, ROUTES, WsLimits())
        async with clients(hub, 1) as (client,):
            await client.subscribe("newest", symbol="A")
            newest: dict[str, int] = {}
            for number, what in enumerate(steps):
                if what == "read":
                    client.socket.read_again()
                elif what == "stop":
                    client.socket.writable = False
                else:
                    newest[what] = number
                    service.say("newest:A", f"{what}{number}", key=what)
            client.socket.read_again()
            got = [(update["text"][0], int(update["text"][1:])) for update in client.updates]
            for key, last in newest.items():
                mine = [number for found, number in got if found == key]
                assert mine == sorted(set(mine))
                assert mine[-1] == last
            assert hub.statistics().conflated == hub.statistics().published - len(got)

    asyncio.run(run())


@given(
    logged=st.integers(0, 20),
    since=st.integers(0, 25),
    live=st.lists(st.sampled_from(["publish", "turn", "answer", "stop", "read"]), max_size=60),
)
@settings(deadline=None)
def test_W07_a_resumed_client_gets_every_update_after_since_once_and_in_order(
    logged: int, since: int, live: list[str]
) -> None:
    async def run() -> None:
        service = WatchedService()
        service.append("logged:A", *range(1, logged + 1))
        service.may_replay.clear()
        hub = Hub(service, ROUTES, WsLimits(queue=100))
        async with clients(hub, 1) as (client,):
            client.post({"type": "logged.subscribe", "payload": {"symbol": "A"}, "since": since})
            actions: dict[str, Callable[[], Awaitable[None] | None]] = {
                "publish": lambda: service.append("logged:A", len(service.log) + 1),
                "turn": lambda: asyncio.sleep(0),
                "answer": service.may_replay.set,
                "stop": lambda: setattr(client.socket, "writable", False),
                "read": client.socket.read_again,
            }
            for what in live:
                done = actions[what]()
                if done is not None:
                    await done
            service.may_replay.set()
            for _ in range(20):
                client.socket.read_again()
                await settle()
            assert client.socket.closed is None
            assert client.seqs == list(range(since + 1, len(service.log) + 1))

    asyncio.run(run())
