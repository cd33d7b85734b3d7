"""Watch mode: routers follow each edit by themselves, and what is generated causes no reload (M05)."""

import json
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from support.backend_modules import GOOD_WS, WS, write_module
from support.backend_server import Server, copy_package, run_module, running
from support.waiting import wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.integration

DECLARATIONS = textwrap.dedent(WS)
WITH_SHOUT = DECLARATIONS + "\nShoutWsRouter: TypeAlias = WsRouter[Echo, Echo]\n"
CHOSEN = {"ENABLED_MODULES": "shop"}


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package with one more module, `shop`, whose routers were never generated."""
    package = copy_package(tmp_path)
    write_module(package / "modules", "shop", GOOD_WS)
    return package


def declarations(package: Path) -> Path:
    return package / "modules" / "shop" / "ws" / "v1" / "__init__.py"


def generated(package: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in declarations(package).parent.glob("ws_generated/*.py")}


@contextmanager
def watching(package: Path) -> Iterator[Server]:
    with running(package, "--reload", **CHOSEN) as server:
        assert server.get("/api/v1/shop/health").status == 200
        yield server


def write(path: Path, text: str) -> None:
    """Write at once, as editors do: half of a file would be an edit of its own on a busy machine."""
    half = path.with_suffix(".half")
    half.write_text(text)
    half.replace(path)


def subscribe(server: Server, route: str) -> dict[str, Any]:
    """The reply to a subscription of the route, by a server that does not stop meanwhile."""

    def ask() -> dict[str, Any] | None:
        # A generation that was replaced takes connections for a moment longer, and closes them.
        with suppress(ConnectionClosed):
            return _subscribe(server, route)
        return None

    return wait_until(ask, what=f"a reply\n{server.log}") or {}


def serves(server: Server, route: str) -> None:
    """Wait until the route is served."""
    answer = f"{route}.subscribe.response"
    wait_until(lambda: subscribe(server, route)["type"] == answer, what=f"{answer}\n{server.log}")


def _subscribe(server: Server, route: str) -> dict[str, Any]:
    with connect(f"ws://127.0.0.1:{server.port}/api/v1/shop/ws") as socket:
        socket.send(json.dumps({"type": f"{route}.subscribe", "payload": {"word": "hear"}}))
        replies = (json.loads(socket.recv(timeout=60)) for _ in range(2))
        reply: dict[str, Any] = next(reply for reply in replies if not reply["type"].endswith(".update"))
        return reply


def test_M05_an_edited_declaration_is_served_after_one_reload(package: Path) -> None:
    with watching(package) as server:
        assert subscribe(server, "echo")["type"] == "echo.subscribe.response"
        assert sorted(generated(package)) == ["__init__.py", "echo.py"]
        assert subscribe(server, "shout")["payload"]["code"] == "unknown_type"
        write(declarations(package), WITH_SHOUT)
        server.wait_for_log("reloaded in")
        serves(server, "shout")
        assert sorted(generated(package)) == ["__init__.py", "echo.py", "shout.py"]
        # A second reload that the generated files caused would have come before that of the next edit.
        api = package / "modules" / "shop" / "api" / "v1.py"
        write(api, api.read_text() + "\n# edited\n")
        server.wait_for_log("reloaded in", count=2)
        edits = [line.partition("edited: ")[2] for line in server.log.splitlines() if "edited: " in line]
        assert edits == ["modules/shop/ws/v1/__init__.py", "modules/shop/api/v1.py"]
        assert server.stop() == 0
    assert "[ERROR]" not in server.log


def test_M05_a_mistake_in_a_declaration_is_told_while_the_old_routes_serve_on(package: Path) -> None:
    with watching(package) as server:
        before = generated(package)
        write(declarations(package), DECLARATIONS.replace("WsRouter[Echo, Echo]", "WsRouter[Echo, Ecko]"))
        server.wait_for_log("the previous code still serves")
        line = len(DECLARATIONS.splitlines())
        assert f"{declarations(package)}:{line}:" in server.log
        assert "Traceback" not in server.log, "the line says it all"
        assert subscribe(server, "echo")["type"] == "echo.subscribe.response"
        assert generated(package) == before
        write(declarations(package), WITH_SHOUT)
        server.wait_for_log("reloaded in")
        serves(server, "shout")


def test_M06_outside_of_development_stale_routers_are_refused_naming_the_command(package: Path) -> None:
    done = run_module(package, ["serve", "--port", "0"], **CHOSEN)
    assert done.returncode == 1
    assert "module 'shop'" in done.stdout
    assert "the generated routers are stale; run: make generate" in done.stdout
    assert generated(package) == {}


def test_M05_deleted_routers_come_back_with_the_next_start(package: Path) -> None:
    with watching(package) as server:
        wait_until(lambda: generated(package), what="generated routers")
        assert subscribe(server, "echo")["type"] == "echo.subscribe.response"
        first = generated(package)
    for file in declarations(package).parent.glob("ws_generated/*.py"):
        file.unlink()
    with watching(package) as server:
        assert subscribe(server, "echo")["type"] == "echo.subscribe.response"
    assert generated(package) == first
