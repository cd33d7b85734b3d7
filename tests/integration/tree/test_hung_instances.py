"""P09: what lives but does not answer is ended and started again, and nothing else is."""

import os
import re
import signal
import time
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from support.project import PATIENT, Project, project_in
from support.waiting import wait_until

# A process that is merely slow, as on a loaded machine, is not to fall to these: six seconds in a row.
HEALTH = {**PATIENT, "interval": "500ms", "timeout": "2s", "failures": 3}
BROKER, DATAFEED, CORE = "broker:broker-0", "datafeed:datafeed-0", "core:core-0"
# In every server, by its import path: SIGUSR1 makes it hang in a loop, SIGUSR2 in one that ignores SIGABRT as well.
HANGS = """
import signal

def spins_on_purpose(number, frame):
    if number == signal.SIGUSR2:
        signal.signal(signal.SIGABRT, signal.SIG_IGN)
    while True:
        pass

signal.signal(signal.SIGUSR1, spins_on_purpose)
signal.signal(signal.SIGUSR2, spins_on_purpose)
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One project for the whole file."""
    folder = tmp_path_factory.mktemp("hung")
    (folder / "hangs").mkdir()
    (folder / "hangs" / "sitecustomize.py").write_text(HANGS)
    with project_in(folder / "project") as project:
        yield project


def _config(project: Project, *, health: dict[str, object] | None = None, broker_port: int = 1) -> dict[str, Any]:
    """The standard deployment with a bus, and core in watch mode."""
    env = {"PYTHONPATH": str(project.folder.parent / "hangs")}
    standard = project.standard(
        broker={"port": project.port + broker_port, "env": env},
        datafeed={"env": env},
        core={"env": env, "reload": True},
    )
    return {**standard, "bus": {"kind": "nats", "port": project.bus_port}, "health": {**HEALTH, **(health or {})}}


def _ended(project: Project) -> list[tuple[str, int]]:
    """Whom supervisord's log says to have been hung, with its pid."""
    found = re.findall(r"WARN (\S+) \(pid (\d+)\) did not answer", project.log("supervisord"))
    return sorted((name, int(pid)) for name, pid in found)


def _is_back(project: Project, before: dict[str, int], name: str) -> bool:
    row = project.process(name)
    return row["pid"] not in (0, before[name]) and row["health"] == "healthy"


def test_P09_hung_processes_are_restarted_and_no_others(shared: Project) -> None:
    """Stops, starts and a changed port first: none of them may look like a hung process to what comes after."""
    shared.write(_config(shared))
    shared.up()
    shared.supervisorctl("stop", DATAFEED)
    shared.supervisorctl("start", DATAFEED)
    shared.write(_config(shared, broker_port=2))
    assert shared.up()["restarted"] == [BROKER]
    wait_until(lambda: shared.status()["healthy"], timeout=60, what="a healthy tree")
    before = shared.pids()
    child = psutil.Process(before[CORE]).children()[0].pid
    os.kill(before["bus"], signal.SIGSTOP)
    os.kill(before[BROKER], signal.SIGUSR1)
    os.kill(child, signal.SIGUSR1)
    for name in ("bus", BROKER, CORE):
        wait_until(lambda name=name: _is_back(shared, before, name), timeout=300, what=f"{name} to be back")  # type: ignore[misc]
    after = wait_until(lambda: shared.status()["healthy"] and shared.pids(), timeout=60, what="a healthy tree")
    assert {name for name in before if after[name] != before[name]} == {"bus", BROKER, CORE}
    assert _ended(shared) == sorted((name, before[name]) for name in ("bus", BROKER, CORE))
    what = f"GET http://127.0.0.1:{shared.port + 2}/api/v1/core/health 3 times in"
    assert f"{BROKER} (pid {before[BROKER]}) did not answer {what}" in shared.log("supervisord")
    for log in ("broker-0", "core-0"):
        stack = shared.log(log).partition("Fatal Python error: Aborted")[2]
        assert "spins_on_purpose" in stack, f"{log} says where it hung, in watch mode too"
    assert "ended by itself with signal SIGABRT" in shared.log("core-0")
    assert {name: shared.process(name)["restarts"] for name in (BROKER, "bus", DATAFEED)} == {
        BROKER: 1,
        "bus": 1,
        DATAFEED: 0,
    }


@pytest.mark.long
def test_P09_one_that_is_stopped_or_ignores_sigabrt_is_killed(shared: Project) -> None:
    shared.write(_config(shared))
    shared.up()
    before, said = shared.pids(), len(_ended(shared))
    os.kill(before[BROKER], signal.SIGUSR2)
    os.kill(before[DATAFEED], signal.SIGSTOP)
    for name in (BROKER, DATAFEED):
        wait_until(lambda name=name: _is_back(shared, before, name), timeout=300, what=f"{name} to be back")  # type: ignore[misc]
    assert len(_ended(shared)) == said + 2
    assert shared.log("supervisord").count("terminated by SIGKILL; not expected") >= 2


@pytest.mark.long
def test_P09_with_failures_0_a_hung_process_is_left_alone_until_that_changes(shared: Project) -> None:
    shared.write(_config(shared, health={"failures": 0}))
    shared.up()
    wait_until(lambda: shared.status()["healthy"], timeout=60, what="a healthy tree")
    before, said = shared.pids(), _ended(shared)
    os.kill(before[DATAFEED], signal.SIGSTOP)
    # Longer than a hung one lives otherwise.
    until = time.monotonic() + 10
    wait_until(lambda: time.monotonic() > until, timeout=60, what="that time to pass", step=0.5)
    assert (shared.pids(), _ended(shared)) == (before, said)
    os.kill(before[DATAFEED], signal.SIGCONT)
    wait_until(lambda: shared.status()["healthy"], timeout=60, what="a healthy tree")
    shared.write(_config(shared))
    assert shared.up()["restarted"] == [], "supervisord reads such a change by itself"
    os.kill(before[DATAFEED], signal.SIGSTOP)
    wait_until(lambda: _is_back(shared, before, DATAFEED), timeout=300, what="the datafeed to be back")


@pytest.mark.long
def test_P09_a_supervisord_that_was_paused_itself_ends_nobody(shared: Project) -> None:
    shared.write(_config(shared, health={"failures": 1}))
    supervisord = shared.up()["supervisord"]
    wait_until(lambda: shared.status()["healthy"], timeout=60, what="a healthy tree")
    before, said = shared.pids(), _ended(shared)
    for _ in range(3):
        os.kill(supervisord, signal.SIGSTOP)
        until = time.monotonic() + 3
        wait_until(lambda until=until: time.monotonic() > until, timeout=60, what="a pause", step=0.5)  # type: ignore[misc]
        os.kill(supervisord, signal.SIGCONT)
        wait_until(lambda: shared.status()["healthy"], timeout=60, what="a healthy tree")
    assert (shared.pids(), _ended(shared)) == (before, said)


def test_P09_the_end_of_the_tree_is_not_taken_for_one(shared: Project) -> None:
    shared.write(_config(shared))
    shared.up()
    said = len(_ended(shared))
    shared.down()
    shared.assert_gone()
    assert len(_ended(shared)) == said
    assert "hung processes go unseen" not in shared.log("supervisord")
