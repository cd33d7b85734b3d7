"""Streams of a generated client against a server that plays a script (G04)."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import ModuleType
from typing import Any

import pytest
from support.clients_server import ORDERS, ScriptedServer, acknowledge, refuse, scripted_server
from support.ports import free_block

pytestmark = pytest.mark.integration
QUOTES = 'quotes:{"accountId":"A"}'


@dataclass
class Scene:
    """A server, a client of it, and the package that the client is from."""

    server: ScriptedServer
    client: Any
    package: ModuleType

    @property
    def account(self) -> Any:
        return self.package.sink_v1_models.Account(accountId="A")

    def orders(self, **options: Any) -> Any:
        return self.client.orders.subscribe(self.account, **options)


QUICK = {"base": 0.001, "longest": 0.02, "first_connect": 20}


@asynccontextmanager
async def scene(package: ModuleType, **policy: Any) -> AsyncIterator[Scene]:
    """Everything open; afterwards no task is left that was not there before."""
    before = asyncio.all_tasks()
    async with scripted_server() as server:
        options = package.StreamPolicy(**{**QUICK, **policy})
        async with package.SinkClient(server.url, streams=options) as client:
            yield Scene(server, client, package)
        left = {task for task in asyncio.all_tasks() - before if task.get_name() == "streams"}
        assert not left, "the client leaves a task behind"


Play = Callable[[Scene], Awaitable[None]]


def play(package: ModuleType, act: Play, **policy: Any) -> None:
    async def run() -> None:
        async with asyncio.timeout(60), scene(package, **policy) as stage:
            await act(stage)

    asyncio.run(run())


async def take(subscription: Any, count: int) -> list[Any]:
    """The next data, without leaving the subscription."""
    found: list[Any] = []
    async for data in subscription:
        found.append(data)
        if len(found) == count:
            return found
    raise AssertionError("the stream ended")


async def events(subscription: Any, count: int) -> list[Any]:
    found: list[Any] = []
    async for event in subscription.events():
        found.append(event)
        if len(found) == count:
            return found
    raise AssertionError("the stream ended")


def test_G04_a_loop_gets_typed_data_and_leaving_it_unsubscribes(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async def loop() -> Any:
            async for order in stage.orders():
                return order
            return None

        reading = asyncio.create_task(loop())
        await stage.server.wait_frames(1)
        await stage.server.update({"id": "1", "qty": 0.1, "new": 1}, seq=1)
        assert await reading == stream_package.sink_v1_models.OrderOfStream(id="1", qty="0.1")
        gc.collect()
        frames = await stage.server.wait_frames(2)
        assert [frame["type"] for frame in frames] == ["orders.subscribe", "orders.unsubscribe"]
        await stage.server.connections[0].wait_closed()

    play(stream_package, act)


def test_G04_nothing_is_opened_before_it_is_used(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        stage.orders()
        await asyncio.sleep(0)
        assert stage.server.connections == []

    play(stream_package, act)


def test_G04_all_subscriptions_share_a_connection_and_a_topic_is_asked_for_once(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as one, stage.orders() as two, stage.client.quotes.subscribe(stage.account) as three:
            await stage.server.update({"id": "1"}, seq=1)
            await stage.server.update({"symbol": "S"}, topic=QUOTES)
            assert [(await take(each, 1))[0] for each in (one, two)] == [
                stream_package.sink_v1_models.OrderOfStream(id="1")
            ] * 2
            assert (await take(three, 1))[0].symbol == "S"
            await one.aclose()
            await stage.server.update({"id": "2"}, seq=2)
            assert (await take(two, 1))[0].id == "2"
        assert len(stage.server.connections) == 1
        types = [frame["type"] for frame in stage.server.frames[0]]
        assert types[:2] == ["orders.subscribe", "quotes.subscribe"]
        assert types.count("orders.unsubscribe") <= 1

    play(stream_package, act)


@pytest.mark.parametrize("code", [1012, 1001, 1008, 1011])
def test_G04_after_a_lost_connection_each_topic_is_subscribed_once_and_resumed(
    stream_package: ModuleType, code: int
) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders, stage.client.pet_walks.subscribe(stage.account) as walks:
            await stage.server.update({"id": "1"}, seq=41)
            assert (await take(orders, 1))[0].id == "1"
            await stage.server.stop(code)
            await stage.server.start()
            frames = await stage.server.wait_frames(2, connection=1)
            assert [(frame["type"], frame.get("since")) for frame in frames] == [
                ("orders.subscribe", 41),
                ("pet-walks.subscribe", None),
            ]
            # A replay that begins too early repeats nothing.
            await stage.server.update({"id": "1"}, seq=41)
            await stage.server.update({"id": "2"}, seq=42)
            kinds = stream_package
            lost = kinds.Disconnected(f"{code} restart")
            assert await events(orders, 3) == [
                lost,
                kinds.Reconnected(),
                kinds.Update(kinds.sink_v1_models.OrderOfStream(id="2"), 42),
            ]
            assert (await events(walks, 1)) == [lost]
            assert [type(event) for event in await events(walks, 2)] == [kinds.Reconnected, kinds.Gap]

    play(stream_package, act)


def test_G04_a_server_that_cannot_resume_makes_a_gap_and_a_fresh_subscription(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        def answer(frame: dict[str, Any]) -> Any:
            return refuse("cannot_resume", "too old")(frame) if "since" in frame else acknowledge(frame)

        stage.server.answer = answer
        async with stage.orders() as orders:
            await stage.server.update({"id": "1"}, seq=41)
            await take(orders, 1)
            await stage.server.connections[0].close(1012)
            frames = await stage.server.wait_frames(2, connection=1)
            assert [frame.get("since") for frame in frames] == [41, None]
            # The order began anew: a lower number is no repetition.
            await stage.server.update({"id": "2"}, seq=1)
            gap = stream_package.Gap("too old", 41)
            update = stream_package.Update(stream_package.sink_v1_models.OrderOfStream(id="2"), 1)
            lost = stream_package.Disconnected("1012")
            assert await events(orders, 4) == [lost, stream_package.Reconnected(), gap, update]

    play(stream_package, act)


def test_G04_a_subscription_begins_after_since_where_the_route_is_durable(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders(since=7) as orders:
            assert stage.server.frames[0][0]["since"] == 7
            await stage.server.update({"id": "old"}, seq=7)
            await stage.server.update({"id": "new"}, seq=8)
            assert (await take(orders, 1))[0].id == "new"
            with pytest.raises(ValueError, match="reads that topic already"):
                await take(stage.orders(since=1), 1)
        with pytest.raises(TypeError):
            stage.client.quotes.subscribe(stage.account, since=1)

    play(stream_package, act)


@pytest.mark.parametrize("code", ["refused", "invalid_payload", "too_many_subscriptions", "rate_limited"])
def test_G04_a_refused_subscription_raises_and_the_others_go_on(stream_package: ModuleType, code: str) -> None:
    async def act(stage: Scene) -> None:
        async with stage.client.quotes.subscribe(stage.account) as quotes:
            stage.server.answer = refuse(code, "no such account")
            with pytest.raises(stream_package.SubscriptionError, match=f"orders: {code}: no such account") as caught:
                await take(stage.orders(), 1)
            assert caught.value.code == code
            assert caught.value.retryable is (code == "rate_limited")
            await stage.server.update({"symbol": "S"}, topic=QUOTES)
            assert (await take(quotes, 1))[0].symbol == "S"

    play(stream_package, act)


def test_G04_a_topic_refused_for_now_after_a_reconnect_is_tried_again(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            refusals = iter([refuse("internal_error"), refuse("rate_limited")])
            stage.server.answer = lambda frame: next(refusals, acknowledge)(frame)
            await stage.server.connections[0].close(1012)
            await stage.server.wait_frames(1, connection=3)
            # Told once, however many attempts it takes.
            assert await events(orders, 2) == [stream_package.Disconnected("1012"), stream_package.Reconnected()]

    play(stream_package, act)


def test_G04_a_topic_refused_for_good_after_a_reconnect_ends_its_readers(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            stage.server.answer = refuse("refused")
            await stage.server.connections[0].close(1012)
            with pytest.raises(stream_package.SubscriptionError, match="refused"):
                await take(orders, 1)

    play(stream_package, act)


def test_G04_a_slow_reader_is_told_where_no_update_may_be_missed(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders, stage.client.quotes.subscribe(stage.account) as quotes:
            for number in range(1, 8):
                await stage.server.update({"id": str(number)}, seq=number)
                await stage.server.update({"symbol": str(number)}, topic=QUOTES)
            # What is sent in order is delivered in order: when the last quote is here, so is all before it.
            latest = ""
            while latest != "7":
                latest = (await take(quotes, 1))[0].symbol
            assert [order.id for order in await take(orders, 3)] == ["1", "2", "3"]
            with pytest.raises(stream_package.SlowConsumer, match="orders: 3 updates wait"):
                await take(orders, 1)

    play(stream_package, act, queue_size=3)


def test_G04_a_slow_reader_gets_the_newest_where_updates_replace_each_other(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as marker, stage.client.quotes.subscribe(stage.account) as quotes:
            for number in range(1, 8):
                await stage.server.update({"symbol": str(number)}, topic=QUOTES)
            await stage.server.update({"id": "end"}, seq=1)
            await take(marker, 1)
            assert [quote.symbol for quote in await take(quotes, 3)] == ["5", "6", "7"]
            assert quotes.dropped == 4

    play(stream_package, act, queue_size=3)


def test_G04_an_update_that_does_not_fit_names_the_route(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            await stage.server.update({"qty": 1}, seq=1)
            with pytest.raises(stream_package.DecodeError, match=r"orders\.update: id: Field required"):
                await take(orders, 1)

    play(stream_package, act)


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"type":5}', b"\xff"])
def test_G04_a_server_that_sends_no_frames_is_left(stream_package: ModuleType, text: str | bytes) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            await stage.server.connections[0].send(text)
            with pytest.raises(stream_package.DecodeError, match="stream: a frame"):
                await take(orders, 1)

    play(stream_package, act)


def test_G04_frames_nobody_asked_for_are_ignored(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            send = stage.server.connections[0].send
            await send('{"type":"orders.subscribe.response","payload":{"topic":"x"},"id":"99"}')
            await send('{"type":"orders.update","payload":{"topic":"another","payload":{}}}')
            await send('{"type":"error","payload":{"code":"rate_limited","detail":""}}')
            await send('{"type":"orders.update","payload":7}')
            await send('{"type":"invented.thing","payload":7}')
            await stage.server.update({"id": "1"}, seq=1)
            assert (await take(orders, 1))[0].id == "1"

    play(stream_package, act)


def test_G04_cancelling_a_reader_unsubscribes_and_leaves_no_task(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.client.quotes.subscribe(stage.account):
            reading = asyncio.create_task(take(stage.orders(), 1))
            await stage.server.wait_frames(2)
            reading.cancel()
            with pytest.raises(asyncio.CancelledError):
                await reading
            frames = await stage.server.wait_frames(3)
            assert frames[2]["type"] == "orders.unsubscribe"

    play(stream_package, act)


def test_G04_closing_the_client_ends_its_readers(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            reading = asyncio.create_task(take(orders, 1))
            await asyncio.sleep(0)
            await stage.client.aclose()
            with pytest.raises(stream_package.TransportError, match="the client was closed"):
                await reading
        with pytest.raises(stream_package.TransportError, match="the client is closed"):
            await take(stage.orders(), 1)

    play(stream_package, act)


def test_W06_a_slow_reader_gets_the_newest_of_every_key(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as marker, stage.client.tickers.subscribe(stage.account) as tickers:
            topic = 'tickers:{"accountId":"A"}'
            await stage.server.update({"symbol": "rare", "price": 1}, topic=topic)
            for number in range(1, 8):
                await stage.server.update({"symbol": "busy", "price": number}, topic=topic)
            await stage.server.update({"id": "end"}, seq=1)
            await take(marker, 1)
            told = [(ticker.symbol, ticker.price) for ticker in await take(tickers, 2)]
            assert told == [("rare", 1), ("busy", 7)]
            assert tickers.dropped == 6

    play(stream_package, act, queue_size=3)


@pytest.mark.parametrize("turns", range(8))
def test_G04_a_closed_client_leaves_nothing_running(stream_package: ModuleType, turns: int) -> None:
    """A loop that is left without `async with` ends in a task of the event loop's own; closing waits for that too."""

    async def first(client: Any, account: Any) -> Any:
        async for order in client.orders.subscribe(account):
            return order
        return None

    async def act(stage: Scene) -> None:
        before = asyncio.all_tasks()
        async with stream_package.SinkClient(stage.server.url) as client:
            reading = asyncio.create_task(first(client, stage.account))
            await stage.server.wait_frames(1)
            await stage.server.update({"id": "1"}, seq=1)
            await reading
            gc.collect()
            for _ in range(turns):  # How far that task has come when the client is closed.
                await asyncio.sleep(0)
        left = [repr(task) for task in asyncio.all_tasks() - before if "conn_handler" not in repr(task)]
        assert left == [], "besides the server's own"

    play(stream_package, act)


def test_G04_the_connection_is_opened_again_after_the_last_subscription_ended(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        for connection in range(3):
            async with stage.orders() as orders:
                await stage.server.update({"id": str(connection)}, seq=1)
                assert (await take(orders, 1))[0].id == str(connection)
        assert len(stage.server.connections) == 3
        with pytest.raises(RuntimeError, match="has ended"):
            await take(orders, 1)

    play(stream_package, act)


def test_G04_a_server_that_does_not_answer_is_left_and_tried_again(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        silent = iter([None])
        stage.server.answer = lambda frame: next(silent, acknowledge(frame))
        async with stage.orders():
            assert len(stage.server.connections) == 2

    play(stream_package, act, answer_timeout=0.05)


def test_G04_a_half_open_connection_is_found_by_pings(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            # The server hangs: what the client sends is not read, so no ping is answered.
            stage.server.connections[0].transport.pause_reading()
            await stage.server.wait(lambda: len(stage.server.frames) == 2 and stage.server.frames[1])
            lost, back = await events(orders, 2)
            assert isinstance(lost, stream_package.Disconnected)
            assert "keepalive ping timeout" in lost.reason
            assert back == stream_package.Reconnected()
            stage.server.connections[0].transport.abort()

    play(stream_package, act, ping_interval=0.1)


@pytest.mark.parametrize("status", [HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND])
def test_G04_a_refused_handshake_is_final(stream_package: ModuleType, status: HTTPStatus) -> None:
    async def act(stage: Scene) -> None:
        stage.server.refuse_with = status
        with pytest.raises(stream_package.StreamRefused, match=str(status.value)) as caught:
            await take(stage.orders(), 1)
        assert caught.value.code == status

    play(stream_package, act)


@pytest.mark.parametrize("code", [1002, 1003, 1007, 1009, 1010])
def test_G04_a_close_that_would_come_again_is_final(stream_package: ModuleType, code: int) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            await stage.server.connections[0].close(code, "why")
            with pytest.raises(stream_package.StreamRefused, match=f"{code} why"):
                await take(orders, 1)

    play(stream_package, act)


def test_G04_a_server_that_is_not_up_yet_is_waited_for_and_then_given_up(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        stage.server.refuse_with = HTTPStatus.SERVICE_UNAVAILABLE
        with pytest.raises(stream_package.TransportError, match=r"orders: not subscribed within 0\.2 s.*503"):
            await take(stage.orders(), 1)
        url = f"http://127.0.0.1:{free_block(1)}"
        policy = stream_package.StreamPolicy(**{**QUICK, "first_connect": 0.2})
        async with stream_package.SinkClient(url, streams=policy) as client:
            with pytest.raises(stream_package.TransportError, match=r"not subscribed within 0\.2 s.*1006 ") as caught:
                await take(client.orders.subscribe(stage.account), 1)
            assert isinstance(caught.value.__cause__, stream_package.ClientError)

    play(stream_package, act, first_connect=0.2)


def test_G04_a_lost_server_is_given_up_when_the_policy_says_so(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        async with stage.orders() as orders:
            stage.server.refuse_with = HTTPStatus.BAD_GATEWAY
            await stage.server.connections[0].close(1012)
            with pytest.raises(stream_package.TransportError, match=r"no connection for 0\.1 s"):
                await take(orders, 1)

    play(stream_package, act, give_up_after=0.1)


def test_G04_many_topics_are_subscribed_again_at_a_rate_that_servers_take(stream_package: ModuleType) -> None:
    async def act(stage: Scene) -> None:
        account = stream_package.sink_v1_models.Account
        subscriptions = [stage.client.orders.subscribe(account(accountId=str(number))) for number in range(6)]
        for subscription in subscriptions:
            await subscription.__aenter__()
        loop = asyncio.get_running_loop()
        await stage.server.connections[0].close(1012)
        begun = loop.time()
        frames = await stage.server.wait_frames(6, connection=1)
        assert loop.time() - begun >= 4 * 0.02
        assert len({frame["payload"]["accountId"] for frame in frames}) == 6
        for subscription in subscriptions:
            await subscription.aclose()

    play(stream_package, act, burst=2, frames_per_second=50)


def test_G04_the_topic_of_the_server_counts(stream_package: ModuleType) -> None:
    """A server may spell a topic in its own way; updates are known by what its reply said."""

    async def act(stage: Scene) -> None:
        def answer(frame: dict[str, Any]) -> Any:
            reply = acknowledge(frame)
            reply["payload"]["topic"] = "orders:own"
            return reply

        stage.server.answer = answer
        async with stage.orders() as orders:
            await stage.server.update({"id": "1"}, topic="orders:own", seq=1)
            await stage.server.update({"id": "2"}, topic=ORDERS, seq=2)
            await stage.server.update({"id": "3"}, topic="orders:own", seq=3)
            assert [order.id for order in await take(orders, 2)] == ["1", "3"]

    play(stream_package, act)
