"""From `new-module` to a module that answers through nginx (A07)."""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import websockets
from support.project import ROOT, Project, project_in
from support.repository_copy import Copy, copy_again

NAME = "order_book"
"""Of two words, with WebSockets."""
PLAIN = "risk"
"""Of one word, without."""


@pytest.fixture(scope="module")
def made(pristine: Copy, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with two new modules."""
    copy = copy_again(pristine, tmp_path_factory.mktemp("made"))
    assert_done(copy.new_module(NAME, "--ws"))
    assert_done(copy.new_module(PLAIN))
    return copy


def assert_done(done: subprocess.CompletedProcess[str]) -> None:
    assert done.returncode == 0, done.stdout + done.stderr


def new_files(made: Copy) -> list[str]:
    return made.own_files(NAME) + made.own_files(PLAIN)


@pytest.mark.parametrize("tool", [("ruff", "check", "--no-cache"), ("black", "--check", "--quiet")])
def test_A07_new_modules_pass_lint(made: Copy, tool: tuple[str, ...]) -> None:
    assert_done(made.python("-m", *tool, *new_files(made)))


# Where lines break and imports sort may depend on a name; black runs when a module is rendered.
ODD_NAMES = ("x", "l2", "zz_top", "a_1b", "_".join(["wide"] * 8))
RENDER = """
import sys
from trading_api.codegen.new_module.checkout import Checkout
from trading_api.codegen.new_module.folders import place_folders
from trading_api.codegen.new_module.render import render
from trading_api.codegen.new_module.request import NewModule
from trading_api.shared.registry import PACKAGE_FOLDER

checkout = Checkout.around(PACKAGE_FOLDER)
for name in sys.argv[1:]:
    module = NewModule(name, ws=len(name) != 2)
    place_folders({folder: render(module, part) for part, folder in checkout.parts(module).items()})
"""


@pytest.mark.long
def test_A07_modules_of_odd_names_pass_lint(made: Copy, tmp_path: Path) -> None:
    copy = copy_again(made, tmp_path)
    assert_done(copy.python("-c", RENDER, *ODD_NAMES))
    files = [file for name in ODD_NAMES for file in copy.own_files(name)]
    assert len(files) > 7 * len(ODD_NAMES)
    assert_done(copy.python("-m", "ruff", "check", "--no-cache", *files))


def test_A07_new_modules_keep_the_import_rules(made: Copy) -> None:
    assert_done(lint_imports(made))


def test_A07_import_rules_know_of_new_modules(made: Copy, tmp_path: Path) -> None:
    copy = copy_again(made, tmp_path)
    service = copy.package / "modules" / PLAIN / "service.py"
    service.write_text(f"import trading_api.modules.{NAME}.service\n" + service.read_text(encoding="utf-8"))
    done = lint_imports(copy)
    assert done.returncode == 1
    assert f"trading_api.modules.{PLAIN}.service -> trading_api.modules.{NAME}.service" in done.stdout


def lint_imports(copy: Copy) -> subprocess.CompletedProcess[str]:
    return copy.python("-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache")


@pytest.mark.long
def test_A07_new_modules_pass_mypy_strict(made: Copy, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    if (ROOT / ".mypy_cache").is_dir():
        # What mypy knows of the libraries; without it, it takes 15 s longer.
        shutil.copytree(ROOT / ".mypy_cache", cache)
    assert_done(made.python("-m", "mypy", "--cache-dir", str(cache), *new_files(made)))


def test_A07_new_modules_pass_their_own_tests(made: Copy) -> None:
    done = made.python("-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/unit/{NAME}", f"tests/unit/{PLAIN}")
    assert_done(done)
    assert "failed" not in done.stdout
    assert "skipped" not in done.stdout


def test_A07_nothing_is_left_to_generate(made: Copy) -> None:
    assert_done(made.python("-m", "trading_api", "generate", "--check"))


@pytest.fixture(scope="module")
def served(made: Copy, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The shipped deployment of that copy, with both modules named in the YAML as the verb says."""
    with project_in(tmp_path_factory.mktemp("served")) as project:
        project.environment |= {"PYTHONPATH": made.env()["PYTHONPATH"]}
        config = project.shipped()
        config["servers"]["broker"]["modules"].append(NAME)
        config["servers"]["core"]["modules"].append(PLAIN)
        project.write(config)
        project.up()
        yield project
        project.down()
        project.assert_gone()


@pytest.mark.parametrize("name", [NAME, PLAIN])
def test_A07_a_new_module_answers_through_the_gateway(served: Project, name: str) -> None:
    assert served.get(f"/api/v1/{name}/health").json()["module_name"] == name
    address = f"{served.url}/api/v1/{name}/notes/NASDAQ:AAPL"
    written = httpx.put(address, json={"text": "Halted."}, trust_env=False)
    assert written.status_code == 200, written.text
    assert httpx.get(address, trust_env=False).json()["text"] == "Halted."
    assert httpx.get(f"{served.url}/api/v1/{name}/notes/none", trust_env=False).status_code == 404


def test_A07_a_new_modules_subscribers_read_through_the_gateway(served: Project) -> None:
    async def follow() -> str:
        async with websockets.connect(f"ws://127.0.0.1:{served.port}/api/v1/{NAME}/ws", proxy=None) as socket:
            await socket.send(json.dumps({"type": "order-book-notes.subscribe", "payload": {"key": "MSFT"}}))
            reply = json.loads(await asyncio.wait_for(socket.recv(), 60))
            assert reply["type"] == "order-book-notes.subscribe.response"
            async with httpx.AsyncClient(trust_env=False) as http:
                await http.put(f"{served.url}/api/v1/{NAME}/notes/MSFT", json={"text": "Resumed."})
            update = json.loads(await asyncio.wait_for(socket.recv(), 60))
            text: str = update["payload"]["payload"]["text"]
            return text

    assert asyncio.run(follow()) == "Resumed."


def test_A07_a_new_module_is_in_the_merged_documents(served: Project) -> None:
    assert f"/api/v1/{NAME}/notes/{{key}}" in served.get("/api/v1/openapi.json").json()["paths"]
    assert "order-book-notes" in served.get("/api/v1/ws/asyncapi.json").text
    for page in (f"/api/v1/{NAME}/docs", f"/api/v1/{PLAIN}/docs", f"/api/v1/{NAME}/ws/docs"):
        assert served.get(page).status_code == 200, page


PROGRAM = f"""
import asyncio, sys
from trading_api.clients import OrderBookClient
from trading_api.modules.{NAME}.client_generated import order_book_v1_models as models

async def main():
    async with OrderBookClient(sys.argv[1]) as client:
        await client.put_order_book_note(models.OrderBookNoteText(text="Closed."), key="TSLA")
        print((await client.get_order_book_note(key="TSLA")).text)
        async for note in client.order_book_notes.subscribe(models.OrderBookNoteSubscription(key="TSLA")):
            print(note.text, note.revision)
            break

asyncio.run(main())
"""


def test_A07_a_new_module_has_a_client(made: Copy, served: Project) -> None:
    done = made.python("-c", PROGRAM, served.url)
    assert_done(done)
    assert done.stdout.split() == ["Closed.", "Closed.", "1"]
