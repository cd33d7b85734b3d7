"""Starting a deployment brings generated files up to date, or refuses stale ones (M06, G06)."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.backend_modules import GOOD, write_module
from support.generation_backend import Backend
from support.project import Project, project_in
from support.waiting import wait_until

pytestmark = pytest.mark.integration
CORE_ONLY = ["core"]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    with project_in(tmp_path / "project") as made:
        yield made


@pytest.fixture
def backend(project: Project) -> Backend:
    return Backend(project)


def config(project: Project, *modules: str, reload: bool) -> dict[str, object]:
    """One server with these modules."""
    server = {"port": project.port + 1, "modules": list(modules), "reload": reload}
    return {"nginx": {"port": project.port}, "servers": {"one": server}}


def nothing_started(project: Project) -> None:
    assert not (project.folder / "supervisord.conf").exists()
    assert list(project.local.glob("etc/*")) == []
    project.assert_gone()


def test_C02_a_wrong_configuration_comes_first_and_nothing_is_generated(project: Project, backend: Backend) -> None:
    backend.run("clean-generated", check=0)
    before = backend.files()
    project.write({**config(project, reload=True), "ngnix": {}})
    assert "unknown key" in project.run("start", check=2).stderr
    assert backend.files() == before
    nothing_started(project)


def test_M06_in_production_a_stale_file_is_refused_with_the_command_to_run(project: Project, backend: Backend) -> None:
    backend.run("generate", "--quick", check=0)
    (backend.package / "manifest.json").unlink()
    before = backend.files()
    project.write(config(project, reload=False))
    done = project.run("start", check=1)
    assert "manifest.json: missing" in done.stderr
    assert "run: make generate" in done.stderr
    assert backend.files() == before
    nothing_started(project)
    answer = json.loads(project.run("start", "--json", check=1).stdout)
    assert answer["error"] == "generated files are stale; nothing was started; run: make generate"
    assert (answer["ok"], answer["failures"]) == (False, [])
    assert answer["files"] == [{"path": str(backend.package / "manifest.json"), "state": "missing"}]


@pytest.mark.parametrize("reload", [True, False])
@pytest.mark.long
def test_M06_a_mistake_that_generating_would_find_again_is_not_answered_with_generate(
    project: Project, backend: Backend, reload: bool
) -> None:
    backend.without_clients()
    backend.run("generate", "--quick", check=0)
    declarations = backend.package / "modules/datafeed/ws/v1/__init__.py"
    text = declarations.read_text(encoding="utf-8")
    declarations.write_text(text.replace("WsRouter[BarsSubscription", "WsRouter[BarsSubscripton"), encoding="utf-8")
    project.write(config(project, "datafeed", reload=reload))
    done = project.run("start", check=1)
    assert "could not be brought up to date; nothing was started" in done.stderr
    assert "ws/v1/__init__.py:" in done.stderr
    assert "make generate" not in done.stderr
    answer = json.loads(project.run("start", "--json", check=1).stdout)
    assert [failure["module"] for failure in answer["failures"]] == ["datafeed"]
    assert "ws/v1/__init__.py:" in answer["failures"][0]["reason"]


@pytest.mark.long
def test_M06_in_production_stale_routers_are_refused(project: Project, backend: Backend) -> None:
    backend.run("generate", "--quick", check=0)
    with (backend.package / "modules/datafeed/ws/v1/__init__.py").open("a", encoding="utf-8") as file:
        file.write("\n# edited\n")
    project.write(config(project, "datafeed", reload=False))
    assert "ws_generated" in project.run("start", check=1).stderr
    project.write(config(project, "broker", reload=False))
    project.up()


@pytest.mark.long
def test_M06_in_production_what_is_current_starts_without_development_tools(project: Project, backend: Backend) -> None:
    backend.run("generate", "--quick", check=0)
    before = backend.files()
    backend.without_clients()
    project.write(config(project, reload=False))
    assert project.up()["healthy"]
    assert backend.files() == before


def test_G06_in_development_everything_deleted_is_made_again_by_start(project: Project, backend: Backend) -> None:
    backend.run("clean-generated", check=0)
    assert backend.generated() == {}
    project.write(config(project, "broker", "datafeed", reload=True))
    assert project.up()["healthy"]
    assert project.get("/api/v1/broker/health").status_code == 200
    made = backend.generated()
    assert {
        "manifest.json",
        "clients/__init__.py",
        "modules/broker/client_generated/broker_v1_client.py",
    } <= made.keys()
    again = project.run("start", check=0)
    assert "nothing changed, nothing restarted" in again.stdout
    assert backend.generated() == made


@pytest.mark.long
def test_M06_a_module_that_was_just_made_can_be_named_at_once(project: Project, backend: Backend) -> None:
    backend.without_clients()
    write_module(backend.package / "modules", "brand_new", GOOD)
    project.write(config(project, "brand_new", reload=True))
    assert project.up()["healthy"]
    assert project.get("/api/v1/brand_new/health").status_code == 200


@pytest.mark.long
def test_C04_an_unknown_module_is_still_the_configurations_mistake(project: Project, backend: Backend) -> None:
    backend.without_clients()
    project.write(config(project, "brokr", reload=True))
    done = project.run("start", check=2)
    assert "unknown module 'brokr' (did you mean broker?" in done.stderr
    nothing_started(project)


@pytest.mark.long
def test_M06_a_module_that_cannot_be_loaded_is_named_and_the_running_tree_stays(
    project: Project, backend: Backend
) -> None:
    backend.without_clients()
    project.write(config(project, "broker", reload=True))
    project.up()
    pids = project.pids()
    (backend.package / "modules/broker/api/v1.py").write_text("import nonsense_that_is_not_there\n")
    for verb in ("start", "restart"):
        done = project.run(verb, check=1)
        assert "broker/api/v1.py:1: ModuleNotFoundError" in done.stderr
    assert project.pids() == pids


@pytest.mark.long
def test_M06_a_broken_module_that_is_not_deployed_is_in_nobodys_way(project: Project, backend: Backend) -> None:
    backend.without_clients()
    backend.run("generate", "--quick", check=0)
    (backend.package / "modules/datafeed/__init__.py").write_text("import nonsense_that_is_not_there\n")
    project.write(config(project, "broker", reload=True))
    assert project.up()["healthy"]


@pytest.mark.long
def test_G06_dev_starts_with_everything_deleted(project: Project, backend: Backend) -> None:
    backend.without_clients()
    backend.run("clean-generated", check=0)
    project.write(config(project, "broker", "datafeed", reload=True))
    with project.popen("dev", project.config_name) as dev:
        try:
            wait_until(lambda: _answers(project), timeout=60, what="the server to answer")
        finally:
            dev.send_signal(signal.SIGTERM)
            dev.communicate(timeout=60)
    assert "modules/datafeed/ws/v1/ws_generated/__init__.py" in backend.generated()


def _answers(project: Project) -> bool:
    try:
        return project.get("/api/v1/broker/health").status_code == 200
    except httpx.TransportError:
        return False


def test_M06_a_generator_that_cannot_even_answer_is_told_in_its_own_words(project: Project, backend: Backend) -> None:
    (backend.package / "codegen" / "command.py").write_text("import nonsense_that_is_not_there\n", encoding="utf-8")
    project.write(config(project, "broker", reload=True))
    done = project.run("start", check=1)
    assert "could not be brought up to date; nothing was started" in done.stderr
    assert "No module named 'nonsense_that_is_not_there'" in done.stderr
    assert "make generate" not in done.stderr
    nothing_started(project)
