"""Streams of a generated client against servers that break off, say nothing or talk nonsense (findings 5 and 7)."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from types import ModuleType
from typing import Any

import pytest
from support.clients_server import ORDERS, ScriptedServer, acknowledge, scripted_server
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

pytestmark = pytest.mark.integration
QUICK = {"base": 0.001, "longest": 0.02, "first_connect": 20}
Act = Callable[[Any, ScriptedServer], Awaitable[None]]


class RedirectingServer(ScriptedServer):
    """Answers handshakes with a redirect to `location`, while there is one."""

    location: str | None = None

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        if self.location is None:
            return super()._admit(connection, request)
        response = connection.respond(HTTPStatus.FOUND, "")
        response.headers["Location"] = self.location
        return response


@asynccontextmanager
async def redirecting(location: str) -> AsyncIterator[ScriptedServer]:
    server = RedirectingServer()
    server.location = location
    await server.start()
    try:
        yield server
    finally:
        await server.stop(1001, "")


def play(package: ModuleType, act: Act, location: str | None = None, **policy: Any) -> None:
    """Run `act` with a client and its server."""

    async def run() -> None:
        async with asyncio.timeout(60), redirecting(location) if location else scripted_server() as server:
            options = package.StreamPolicy(**{**QUICK, **policy})
            async with package.SinkClient(server.url, streams=options) as client:
                await act(client, server)

    asyncio.run(run())


def orders(package: ModuleType, client: Any, account: str = "A") -> Any:
    return client.orders.subscribe(package.sink_v1_models.Account(accountId=account))


async def enter(subscription: Any) -> None:
    async with subscription:
        raise AssertionError("subscribed")


NO_TOPIC = {"type": "orders.subscribe.response", "payload": {}}


@pytest.mark.parametrize(
    ("reply", "what"),
    [
        (NO_TOPIC, "orders.subscribe.response has no topic"),
        ({**NO_TOPIC, "payload": None}, "orders.subscribe.response has no topic"),
        ({**NO_TOPIC, "payload": {"topic": 5}}, "orders.subscribe.response has no topic"),
        ({"type": "error", "payload": {"detail": "no"}}, "error has no code"),
        ({"type": "error", "payload": {"code": "refused", "detail": ["no"]}}, "error has no detail"),
        ({"type": "error"}, "error has no code"),
    ],
)
def test_G04_an_answer_that_lacks_a_part_is_a_decode_error(
    stream_package: ModuleType, reply: dict[str, Any], what: str
) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        server.answer = lambda frame: {**reply, "id": frame["id"]}
        with pytest.raises(stream_package.DecodeError, match=what):
            await enter(orders(stream_package, client))

    play(stream_package, act)


@pytest.mark.parametrize("exponent", ["9999999999999999999999", "-9999999999999999999999"])
def test_G04_a_number_beyond_all_bounds_is_a_decode_error(stream_package: ModuleType, exponent: str) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        async with orders(stream_package, client) as stream:
            await server.connections[0].send(f'{{"type":"orders.update","payload":1e{exponent}}}')
            with pytest.raises(stream_package.DecodeError, match="a frame is not JSON: a number"):
                await anext(aiter(stream))

    play(stream_package, act)


def test_G04_odd_ids_topics_and_numbers_harm_nobody(stream_package: ModuleType) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        async with orders(stream_package, client) as stream:
            for odd in ({"a": 1}, [1], None, True, 1.5):
                frames: list[dict[str, Any]] = [
                    {"type": "orders.subscribe.response", "id": odd, "payload": {"topic": "x"}},
                    {"type": "orders.update", "payload": {"topic": odd, "payload": {}}, "id": odd},
                    {"type": "error", "id": odd, "payload": odd},
                    {"type": "orders.update", "seq": odd, "payload": {"topic": ORDERS, "payload": {"id": "1"}}},
                ]
                for frame in frames:
                    await server.connections[0].send(json.dumps(frame))
                assert (await anext(stream.events())).data.id == "1"

    play(stream_package, act)


@pytest.mark.parametrize("location", ["http://127.0.0.1:1/ws", "ws://[", "ws://h:99999/", "ws://" + "a" * 70 + "/"])
def test_G04_a_redirect_that_cannot_be_followed_is_final(stream_package: ModuleType, location: str) -> None:
    async def act(client: Any, _server: ScriptedServer) -> None:
        with pytest.raises((stream_package.StreamRefused, stream_package.TransportError)):
            await enter(orders(stream_package, client))

    play(stream_package, act, location)


def test_G04_a_refused_redirect_has_the_status_of_the_answer(stream_package: ModuleType) -> None:
    async def act(client: Any, _server: ScriptedServer) -> None:
        with pytest.raises(stream_package.StreamRefused, match=r"302 .*cannot be followed: http://127") as caught:
            await enter(orders(stream_package, client))
        assert caught.value.code == 302

    play(stream_package, act, "http://127.0.0.1:1/ws")


def test_G04_redirects_without_an_end_are_final(stream_package: ModuleType) -> None:
    async def act(client: Any, _server: ScriptedServer) -> None:
        with pytest.raises(stream_package.TransportError, match=r"^stream: SecurityError: more than"):
            await enter(orders(stream_package, client))

    play(stream_package, act, "/again")


def test_G04_a_proxy_that_is_none_is_final(stream_package: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)

    async def act(client: Any, _server: ScriptedServer) -> None:
        # After the client was made: httpx reads the variable then.
        monkeypatch.setenv("http_proxy", "nonsense://h:1")
        monkeypatch.setenv("socks_proxy", "")
        monkeypatch.setenv("https_proxy", "nonsense://h:1")
        with pytest.raises(stream_package.TransportError, match="InvalidProxy"):
            await enter(orders(stream_package, client))

    play(stream_package, act)


def test_G04_what_nobody_foresaw_is_a_client_error_too(stream_package: ModuleType) -> None:
    async def broken() -> Any:
        raise LookupError("a bug")

    async def run() -> None:
        async with stream_package.SinkClient("http://h", connect=broken) as client:
            with pytest.raises(stream_package.TransportError, match="LookupError: a bug") as caught:
                await enter(orders(stream_package, client))
            assert isinstance(caught.value.__cause__, LookupError)

    asyncio.run(run())


@pytest.mark.parametrize("code", [1000, 1008])
def test_G04_a_server_that_closes_at_once_is_given_up(stream_package: ModuleType, code: int) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        closing: set[asyncio.Task[None]] = set()

        def hang_up(_frame: object) -> None:
            closing.add(asyncio.create_task(server.connections[-1].close(code, "go away")))

        server.answer = hang_up
        with pytest.raises(stream_package.TransportError, match=rf"orders: not subscribed within .*{code} go away"):
            await enter(orders(stream_package, client))
        await asyncio.gather(*closing)

    play(stream_package, act, first_connect=1)


def test_G04_a_subscription_that_is_never_answered_is_given_up(stream_package: ModuleType) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        server.answer = lambda _frame: None
        with pytest.raises(stream_package.TransportError, match=r"within 0\.3 s.*the server does not answer"):
            await anext(aiter(orders(stream_package, client)))

    play(stream_package, act, first_connect=0.3, answer_timeout=0.05)
    play(stream_package, act, first_connect=0.3)


def test_G04_one_topic_without_an_answer_does_not_end_the_others(stream_package: ModuleType) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        server.answer = lambda frame: acknowledge(frame) if frame["payload"]["accountId"] == "A" else None
        async with orders(stream_package, client) as good:
            # A loss that is made good explains nothing.
            await server.connections[0].close(1012, "restart")
            events = good.events()
            assert [await anext(events) for _ in range(2)] == [
                stream_package.Disconnected("1012 restart"),
                stream_package.Reconnected(),
            ]
            with pytest.raises(stream_package.TransportError, match="does not answer"):
                await enter(orders(stream_package, client, "silent"))
            frames = await server.wait_frames(3, connection=1)
            assert frames[2]["type"] == "orders.unsubscribe"
            await server.update({"id": "1"}, seq=1)
            assert (await anext(aiter(good))).id == "1"

    play(stream_package, act, first_connect=0.3)


def test_G04_who_joins_a_lost_topic_waits_for_its_own_answer(stream_package: ModuleType) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        async with orders(stream_package, client) as first:
            server.refuse_with = HTTPStatus.BAD_GATEWAY
            await server.connections[0].close(1012, "restart")
            events = first.events()
            assert await anext(events) == stream_package.Disconnected("1012 restart"), "before it is back"
            with pytest.raises(stream_package.TransportError, match="answered 502"):
                await enter(orders(stream_package, client))
            server.refuse_with = None
            async with orders(stream_package, client) as second:
                await server.update({"id": "1"}, seq=1)
                assert isinstance(await anext(second.events()), stream_package.Update), "it lost nothing"
            assert await anext(events) == stream_package.Reconnected()
            await events.aclose()

    play(stream_package, act, first_connect=1)


def test_G04_a_lost_server_that_only_lets_connect_is_given_up_too(stream_package: ModuleType) -> None:
    async def act(client: Any, server: ScriptedServer) -> None:
        async with orders(stream_package, client) as stream:
            server.answer = lambda _frame: None
            await server.connections[0].close(1012, "restart")
            events = stream.events()
            assert await anext(events) == stream_package.Disconnected("1012 restart")
            with pytest.raises(stream_package.TransportError, match=r"no connection for 0\.2 s"):
                await anext(events)

    play(stream_package, act, give_up_after=0.2, answer_timeout=0.02)
