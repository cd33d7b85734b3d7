"""The verbs themselves, as processes (G01, G09)."""

import json
from pathlib import Path

import pytest
from support.generation_backend import Backend
from support.project import Project

pytestmark = pytest.mark.integration


@pytest.fixture
def backend(tmp_path: Path) -> Backend:
    folder = tmp_path / "project"
    folder.mkdir()
    return Backend(Project(folder, 0))


def test_G01_an_unknown_module_lists_the_known_ones(backend: Backend) -> None:
    for arguments in (["generate", "--modules", "core,brokr"], ["generate-ws-routers", "--module", "brokr"]):
        done = backend.run(*arguments, check=1)
        assert done.stderr == "error: unknown module 'brokr'; did you mean 'broker'? known: broker, core, datafeed\n"
    answer = json.loads(backend.run("generate", "--modules", "brokr", "--json", check=1).stdout)
    assert (answer["ok"], [failure["module"] for failure in answer["failures"]]) == (False, ["brokr"])
    assert "unknown module '*'" in backend.run("generate", "--modules", "*", check=1).stderr


def test_G01_list_modules(backend: Backend) -> None:
    lines = backend.run("list-modules", check=0).stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["broker", "core", "datafeed"]
    assert "datafeed v1 (websockets: v1)" in lines
    answer = json.loads(backend.run("list-modules", "--json", check=0).stdout)
    assert {"name": "datafeed", "versions": ["v1"], "websockets": ["v1"]} in answer["modules"]
    assert len(answer["modules"]) == len(lines)


def test_G01_generate_check_and_clean_as_commands(backend: Backend) -> None:
    backend.run("clean-generated", check=0)
    missing = json.loads(backend.run("generate", "--check", "--quick", "--json", check=1).stdout)
    assert {file["state"] for file in missing["files"]} == {"missing"}
    backend.run("generate", "--quick", check=0)
    assert backend.run("generate", "--quick", check=0).stdout == "everything generated is up to date\n"
    backend.run("generate", "--check", "--quick", check=0)
    removed = backend.run("clean-generated", check=0).stdout
    assert "manifest.json: removed" in removed
    assert "note: a running tree writes none of it by itself; the next start of the tree does" in removed
    assert backend.generated() == {}
    assert json.loads(backend.run("clean-generated", "--json", check=0).stdout) == {
        "ok": True,
        "files": [],
        "notes": [],
    }
    backend.run("generate", "--quick", check=0)
    answer = json.loads(backend.run("clean-generated", "--json", check=0).stdout)
    assert {"path": str(backend.package / "manifest.json"), "state": "removed"} in answer["files"]


def test_G01_generate_ws_routers_writes_routers_and_nothing_else(backend: Backend) -> None:
    backend.run("clean-generated", check=0)
    backend.run("generate-ws-routers", "--module", "datafeed", check=0)
    folders = {path.rpartition("/")[0] for path in backend.generated()}
    assert folders == {"modules/datafeed/ws/v1/ws_generated"}
    backend.run("generate-ws-routers", check=0)
    assert "core: no WebSockets" in backend.run("generate-ws-routers", check=0).stdout


@pytest.mark.long
def test_G09_runs_at_the_same_time_end_as_one_would(backend: Backend) -> None:
    backend.run("clean-generated", check=0)
    backend.run("generate", "--quick", check=0)
    expected = backend.files()
    backend.run("clean-generated", check=0)
    running = [backend.popen("generate", "--quick") for _ in range(4)]
    codes = []
    for process in running:
        with process:
            _, errors = process.communicate(timeout=300)
            codes.append((process.returncode, errors))
    assert [code for code, _ in codes] == [0, 0, 0, 0], codes
    assert backend.files() == expected


def test_M06_the_run_ahead_ends_without_a_word_and_does_nothing(backend: Backend) -> None:
    backend.run("clean-generated", check=0)
    assert backend.run("generate", "--ahead", check=0).stdout == ""
    assert backend.generated() == {}


@pytest.mark.long
def test_M06_where_the_deployed_modules_are_current_the_run_ahead_imports_nothing_that_generates(
    backend: Backend,
) -> None:
    backend.run("generate", "--quick", "--modules", "broker,core", check=0)
    # What stands as None in sys.modules cannot be imported.
    blocked = "import sys; sys.modules['trading_api.codegen.full_run'] = None; "
    for modules, code in ((["broker", "core"], 0), (["datafeed"], 1)):
        asked = json.dumps({"check": True, "modules": modules})
        program = blocked + f"""
import io
from trading_api.codegen.command import generate_ahead
sys.exit(generate_ahead(io.StringIO({asked!r})))
"""
        done = backend.python(program)
        assert done.returncode == code, done.stderr
        assert done.stdout == ""
