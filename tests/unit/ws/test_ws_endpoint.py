"""The endpoint on any ASGI server, and the hub in a ModuleApp's life (A01, A04, W03)."""

import asyncio
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
from starlette.types import Message as Event
from support.backend_calls import call, call_websocket
from support.ws_clients import settle, until
from support.ws_server import WatchedModule
from support.ws_service import ROUTES, Strict

from trading_api.settings import Settings
from trading_api.shared import loading
from trading_api.shared.api.interface import StatusRouter
from trading_api.shared.errors import ModuleError
from trading_api.shared.loading import AnyModule, WsPackage, load_ws
from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import ModuleFolder
from trading_api.shared.ws import WsRoute
from trading_api.shared.ws.message import Message
from trading_api.shared.ws.sockets import AsgiSocket

SUBSCRIBE = {"type": "websocket.receive", "text": '{"type":"strict.subscribe","payload":{"symbol":"A"}}'}


def module_app() -> tuple[ModuleApp, WatchedModule]:
    module = WatchedModule(Settings())
    any_module = cast("AnyModule", module)
    return ModuleApp(any_module, StatusRouter(any_module, "v1", ("v1",)), WsPackage(ROUTES)), module


class SlowServer:
    """An ASGI send that waits until the test lets it go on, or fails."""

    def __init__(self) -> None:
        self.sent: list[Event] = []
        self.may_send = asyncio.Event()
        self.broken = False

    async def send(self, event: Event) -> None:
        await self.may_send.wait()
        if self.broken:
            raise OSError("the client has gone")
        self.sent.append(event)


def test_W05_an_asgi_send_that_waits_holds_up_nobody_and_keeps_the_order() -> None:
    async def run() -> None:
        server = SlowServer()
        socket = AsgiSocket(server.send)
        writable: list[bool] = []
        socket.attach(lambda: writable.append(socket.writable))
        for number in range(64):
            assert socket.writable
            socket.write(Message(b"%d" % number))
        assert not socket.writable
        server.may_send.set()
        await until(lambda: len(server.sent) == 64)
        assert [event["text"] for event in server.sent] == [str(number) for number in range(64)]
        await socket.finish()
        assert writable == [True]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_W03_an_asgi_send_that_fails_ends_quietly_and_wakes_who_waits() -> None:
    async def run() -> None:
        server = SlowServer()
        socket = AsgiSocket(server.send)
        woken: list[None] = []
        socket.attach(lambda: woken.append(None))
        server.broken = True
        server.may_send.set()
        socket.write(Message(b"1"))
        socket.write(Message(b"2"))
        await settle()
        assert (server.sent, woken, socket.writable) == ([], [None], True)

    asyncio.run(run())


def test_W03_an_asgi_send_that_hangs_is_cut_off_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trading_api.shared.ws.sockets._FINISH_S", 0.01)

    async def run() -> None:
        socket = AsgiSocket(SlowServer().send)
        socket.write(Message(b"1"))
        await socket.finish()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_W05_a_close_on_any_server_overtakes_what_waits() -> None:
    async def run() -> None:
        server = SlowServer()
        socket = AsgiSocket(server.send)
        for _ in range(10):
            socket.write(Message(b"update"))
        socket.close(1008, "slow")
        server.may_send.set()
        await socket.finish()
        assert [event["type"] for event in server.sent] == ["websocket.send", "websocket.close"]
        assert (server.sent[-1]["code"], server.sent[-1]["reason"]) == (1008, "slow")

    asyncio.run(run())


def test_A04_an_app_started_again_takes_clients_again_and_a_stopped_one_does_not() -> None:
    app, module = module_app()

    async def live() -> None:
        async with app.router.lifespan_context(app):
            pass

    def kinds() -> list[str]:
        return [event["type"] for event in call_websocket(app, "/ws", [SUBSCRIBE])]

    assert kinds() == ["websocket.accept", "websocket.send"]
    asyncio.run(live())
    assert kinds() == ["websocket.close"]

    async def twice() -> None:
        async with app.router.lifespan_context(app):
            assert app.hub is not None
            assert not app.hub.closed

    asyncio.run(twice())
    assert module.service.calls[-1] == "shutdown"


def test_A04_statistics_are_a_documented_route() -> None:
    app, _ = module_app()
    assert call(app, "/ws-stats").json()["connections"] == 0
    operation = call(app, "/openapi.json").json()["paths"]["/ws-stats"]["get"]
    assert (operation["operationId"], operation["tags"]) == ("getWebSocketStatistics", ["status"])


def test_A01_two_routers_of_one_route_fail_the_start_up_with_the_modules_name(monkeypatch: pytest.MonkeyPatch) -> None:
    class Again(WsRoute[str, str]):
        route = "strict"
        request_type = str
        data_type = str

    package = ModuleType("generated")
    package.__dict__.update(__file__="generated.py", ROUTERS=(Strict, Again))
    monkeypatch.setattr(loading, "_import_routers", lambda *_: package)
    folder = ModuleFolder("broker", "m.broker", Path("broker"), api={}, ws={"v1": Path("ws/v1")})
    with pytest.raises(ModuleError, match=r"module 'broker'.*two routers serve one route: strict"):
        load_ws(folder, "v1")
    assert load_ws(folder, "v2") is None
