"""What is killed from outside: processes come back (P09), and of a killed supervisord nothing stays (P08)."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from support.project import Project, project_in
from support.tree_socket import state_of, supervisords
from support.waiting import wait_until


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One project for the tests whose tree heals."""
    with project_in(tmp_path_factory.mktemp("crashes") / "project") as project:
        # A paused process is to stay that, however long a loaded machine takes to look at it.
        standard = project.standard()
        standard["health"]["failures"] = 0
        project.write(standard)
        yield project


@pytest.fixture
def tree(shared: Project) -> Project:
    """It runs and is healthy, whatever the test before has left."""
    shared.up()
    return shared


def _answers(project: Project, path: str = "/api/v1/broker/health") -> bool:
    with suppress(httpx.HTTPError):
        return project.get(path).status_code == 200
    return False


@pytest.mark.long
def test_P09_an_instance_killed_right_after_up_is_restarted(small: Project) -> None:
    # Within `startsecs` of its start, and confirmed as RUNNING by us: not a failed start, so there is no waiting.
    before = {row["name"]: row["pid"] for row in small.up()["processes"]}
    for name in ("nginx", "core:core-0"):
        os.kill(before[name], signal.SIGKILL)
    wait_until(lambda: _answers(small, "/api/v1/core/health"), timeout=60, what="the gateway to answer again")
    after = wait_until(lambda: small.status()["healthy"] and small.pids(), what="a healthy tree")
    assert after["logs"] == before["logs"]
    assert after["nginx"] != before["nginx"]
    assert after["core:core-0"] != before["core:core-0"]
    assert small.process("core:core-0")["restarts"] == 1


def test_P09_a_killed_instance_is_restarted_and_counted(tree: Project) -> None:
    before = tree.process("broker:broker-0")
    os.kill(before["pid"], signal.SIGKILL)
    wait_until(lambda: tree.process("broker:broker-0")["pid"] not in (0, before["pid"]), what="a new broker")
    wait_until(lambda: _answers(tree), what="the broker to answer")
    after = tree.process("broker:broker-0")
    assert after["restarts"] == before["restarts"] + 1
    wait_until(lambda: tree.run("status").returncode == 0, what="a healthy tree")


def test_P09_the_killed_master_of_nginx_leaves_no_worker_on_the_port(tree: Project) -> None:
    master = tree.pids()["nginx"]
    workers = psutil.Process(master).children()
    assert workers
    os.kill(master, signal.SIGKILL)
    wait_until(lambda: not any(worker.is_running() for worker in workers), what="the orphaned workers to be gone")
    wait_until(lambda: _answers(tree), timeout=60, what="the gateway to answer again")
    wait_until(lambda: tree.run("status").returncode == 0, what="a healthy tree")
    assert tree.pids()["nginx"] != master


@pytest.mark.long
def test_P09_an_instance_that_keeps_dying_ends_fatal_with_its_reason(probed: Project) -> None:
    package = probed.folder / "own" / "trading_api"
    shutil.copytree(Path(probed.environment["PYTHONPATH"]) / "trading_api", package)
    probed.environment["PYTHONPATH"] = str(package.parent)
    probed.up()
    pid = probed.pids()["probe:probe-0"]
    (package / "modules" / "probe" / "__init__.py").write_text("raise RuntimeError('a bad edit')\n")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: state_of(probed, "probe:probe-0") == "FATAL", timeout=60, what="FATAL", step=0.1)
    assert "a bad edit" in probed.process("probe:probe-0")["reason"]
    assert probed.run("status").returncode == 1
    assert "probe:probe-0" in probed.run("status").stdout
    plain = probed.supervisorctl("status")
    assert "FATAL" in plain.stdout
    assert "a bad edit" in plain.stdout
    assert probed.get("/api/v1/core/health").status_code == 200


def test_P08_after_kill_9_of_supervisord_up_makes_one_generation(tree: Project) -> None:
    before = tree.pids()
    os.kill(tree.status()["supervisord"], signal.SIGKILL)
    assert tree.run("status").returncode == 3
    assert _answers(tree), "the orphans still serve"
    done = tree.run("start", check=0)
    assert "an earlier supervisord left behind" in done.stderr
    assert not [pid for pid in before.values() if psutil.pid_exists(pid) and _is_ours(tree, pid)]
    assert len(supervisords(tree)) == 1
    assert tree.status()["healthy"]


def _is_ours(project: Project, pid: int) -> bool:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and process in project.processes()
    return False


def test_P08_after_kill_9_of_supervisord_down_ends_what_is_left(tree: Project) -> None:
    os.kill(tree.status()["supervisord"], signal.SIGKILL)
    done = tree.run("stop", check=0)
    assert "ended what an earlier supervisord had left" in done.stdout
    assert "broker-0" in done.stdout
    tree.assert_gone()
    assert tree.run("stop", check=0).stdout.startswith("nothing was running")


@pytest.mark.long
def test_P08_a_foreign_process_in_the_same_folder_survives_all_of_it(tree: Project) -> None:
    argv = [sys.executable, "-c", "import signal; signal.pause()", str(tree.local)]
    with subprocess.Popen(argv, cwd=tree.folder, start_new_session=True) as foreign:
        try:
            os.kill(tree.status()["supervisord"], signal.SIGKILL)
            tree.up()
            tree.down()
            assert foreign.poll() is None
        finally:
            foreign.kill()


def test_P10_status_tells_ill_from_stopped(tree: Project) -> None:
    pid = tree.pids()["datafeed:datafeed-0"]
    os.kill(pid, signal.SIGSTOP)
    try:
        done = tree.run("status", check=1)
        assert "no answer within 1 s" in done.stdout
        assert not tree.status()["healthy"]
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: tree.run("status").returncode == 0, what="a healthy tree")
    tree.supervisorctl("stop", "datafeed:datafeed-0")
    wait_until(lambda: tree.process("broker:broker-0")["health"] != "healthy", what="the broker to miss its datafeed")
    assert "degraded: The datafeed restarts." in tree.run("status", check=1).stdout
    tree.down()
    stopped = tree.run("status", check=3)
    assert "not running" in stopped.stdout
    assert tree.status() == {"supervisord": 0, "config": str(tree.config), "processes": [], "healthy": False}


@pytest.mark.long
def test_P08_a_supervisord_whose_socket_was_moved_away_is_told_and_ended(tree: Project) -> None:
    tree.up()
    tree.local.rename(tree.folder / "elsewhere")
    told = tree.run("status")
    assert told.returncode == 3
    assert "out of reach: supervisord (pid " in told.stdout
    assert "ended" in tree.run("stop", check=0).stdout
    tree.assert_gone()


@pytest.mark.long
def test_P08_up_ends_a_supervisord_out_of_reach_and_starts_one_generation(tree: Project) -> None:
    tree.up()
    shutil.move(tree.local, tree.folder / "elsewhere-too")
    assert tree.up()["fresh"]
    assert len([p for p in tree.processes() if "deploy.listeners.supervisord" in p.cmdline()]) == 1
    tree.down()
    tree.assert_gone()


def test_P10_status_names_what_a_killed_supervisord_left(tree: Project) -> None:
    supervisord = tree.up()["supervisord"]
    os.kill(supervisord, signal.SIGKILL)
    told = tree.run("status")
    assert told.returncode == 3
    assert "supervisord is gone, but" in told.stdout
    assert "core-0 (pid " in told.stdout
    tree.down()
    tree.assert_gone()
