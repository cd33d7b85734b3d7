"""Down stops in order, within its grace, and leaves nothing (P05)."""

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support.probe_module import probe_config
from support.project import Project
from support.tree_log import assert_ordered, endings
from support.waiting import wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_ws


def _open_stream(project: Project) -> http.client.HTTPConnection:
    """A response without an end, of which the first bytes have arrived."""
    connection = http.client.HTTPConnection("127.0.0.1", project.port, timeout=60)
    connection.request("GET", "/api/v1/probe/endless")
    assert connection.getresponse().read(5) == b"tick\n"
    return connection


def _in_flight(project: Project, seconds: float) -> "tuple[threading.Thread, list[int]]":
    """A request that takes `seconds`, sent and being worked on; its status is put into the list."""
    statuses: list[int] = []

    def ask() -> None:
        statuses.append(project.get(f"/api/v1/probe/slow?seconds={seconds}").status_code)

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    return thread, statuses


def test_P05_down_with_requests_a_stream_and_a_websocket_open(probed: Project) -> None:
    probed.write(probe_config(probed, shutdown={"grace": "2s"}))
    probed.up()
    stream = _open_stream(probed)
    with connect_ws(f"ws://127.0.0.1:{probed.port}/api/v1/probe/ws", proxy=None) as socket:
        socket.send('{"type":"probes.subscribe","payload":{"word":"hello"}}')
        assert '"status":"ok"' in str(socket.recv(timeout=60))
        assert '"word":"hello"' in str(socket.recv(timeout=60))
        thread, statuses = _in_flight(probed, 0.8)
        wait_until(lambda: "slow begins" in probed.log("probe-0"), what="the request to be at work")
        began = time.monotonic()
        done = probed.run("stop", check=0)
        assert time.monotonic() - began < 30, "each tier has its grace, and no more"
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=60)
    stream.close()
    thread.join(60)
    assert statuses == [200]
    assert "stopped 4 processes" in done.stdout
    assert (probed.folder / "probe-stopped").exists(), "the module's shutdown hook ran"
    assert_ordered(probed)
    assert "SIGKILL" not in str(endings(probed))
    probed.assert_gone()


def test_P05_an_idle_tree_stops_at_once_and_in_order(probed: Project) -> None:
    probed.write(probe_config(probed, shutdown={"grace": "60s"}))
    probed.up()
    done = probed.run("stop", "--json", check=0)
    answer = json.loads(done.stdout)
    assert answer["seconds"] < 20, "and not the grace"
    assert answer["stopped"] == ["nginx", "probe:probe-0", "core:core-0", "logs"]
    assert_ordered(probed)
    assert set(endings(probed).values()) == {"exit status 0"}
    assert (probed.folder / "probe-stopped").exists()
    probed.assert_gone()


def test_P05_who_ignores_SIGTERM_is_killed_when_the_timeout_is_over(probed: Project) -> None:
    probed.write(probe_config(probed, env={"PROBE_DEAF": "1"}, shutdown={"grace": "60s"}))
    probed.up()
    began = time.monotonic()
    probed.run("stop", "--timeout", "0.5", check=0)
    assert time.monotonic() - began < 20, "--timeout, and not the grace of a minute"
    assert endings(probed)["probe-0"] == "terminated by SIGKILL"
    assert endings(probed)["core-0"] == "exit status 0"
    assert_ordered(probed)
    probed.assert_gone()


@pytest.mark.long
def test_P05_without_a_timeout_the_configured_grace_is_given(probed: Project) -> None:
    probed.write(probe_config(probed, env={"PROBE_DEAF": "1"}, shutdown={"grace": "1s"}))
    probed.up()
    began = time.monotonic()
    probed.run("stop", check=0)
    assert 1.0 <= time.monotonic() - began < 20
    assert endings(probed)["probe-0"] == "terminated by SIGKILL"
    probed.assert_gone()


@pytest.mark.parametrize("way", ["supervisorctl shutdown", pytest.param("SIGTERM", marks=pytest.mark.long)])
def test_P01_supervisord_told_to_end_by_others_keeps_the_order(probed: Project, way: str) -> None:
    probed.up()
    pid = probed.status()["supervisord"]
    if way == "SIGTERM":
        os.kill(pid, signal.SIGTERM)
    else:
        assert probed.supervisorctl("shutdown").returncode == 0
    down = probed.run("stop", check=0)  # what somebody else began is waited for
    assert "supervisord refused" not in down.stderr
    probed.assert_gone()
    assert_ordered(probed)
    assert set(endings(probed).values()) == {"exit status 0"}


@pytest.mark.long
def test_P08_up_right_after_somebody_elses_shutdown_makes_a_new_generation(small: Project) -> None:
    before = small.up()
    os.kill(before["supervisord"], signal.SIGTERM)
    after = small.up()
    assert after["fresh"]
    assert after["supervisord"] != before["supervisord"]


def test_P05_down_when_nothing_runs_is_fine(project: Project) -> None:
    for _ in range(2):
        assert project.run("stop", check=0).stdout == "nothing was running\n"
    assert not project.local.exists()


@pytest.mark.long
def test_P05_two_downs_at_once_both_succeed(small: Project) -> None:
    small.up()
    with small.popen("stop") as first, small.popen("stop") as second:
        answers = [process.communicate(timeout=60) for process in (first, second)]
        assert (first.returncode, second.returncode) == (0, 0), answers
    told = sorted(stdout.split(" in ")[0].strip() for stdout, _ in answers)
    assert told == ["nothing was running", "stopped 3 processes"]
    small.assert_gone()


@pytest.mark.long
def test_P05_no_process_and_no_port_is_left_over_cycles(small: Project) -> None:
    for _ in range(5):
        assert small.up()["fresh"]
        small.down()
        small.assert_gone()


def test_P05_stop_in_the_words_of_supervisorctl_is_repaired_by_up(small: Project) -> None:
    small.up()
    assert small.supervisorctl("restart", "core:*").returncode == 0
    wait_until(lambda: small.run("status").returncode == 0, what="a healthy tree")
    done = small.supervisorctl("stop", "all")
    assert done.returncode == 0
    assert sorted(re.findall(r"^(\S+): stopped", done.stdout, re.MULTILINE)) == ["core:core-0", "logs", "nginx"]
    assert small.up()["healthy"]


def _tail(project: Project) -> "subprocess.Popen[str]":
    argv = [str(Path(sys.executable).with_name("supervisorctl")), "tail", "-f", "core:core-0"]
    return subprocess.Popen(argv, cwd=project.folder, env=project.env(), stdout=subprocess.PIPE, text=True)


@pytest.mark.long
def test_P02_supervisorctl_tail_follows_and_a_users_own_file_stays(small: Project) -> None:
    own = small.folder / "supervisord.conf"
    own.write_text("; mine\n[supervisorctl]\nserverurl = unix:///nowhere\n")
    done = small.run("start", check=0)
    assert "is not ours and stays" in done.stderr
    assert own.read_text().startswith("; mine")
    own.unlink()
    small.up()
    assert own.read_text().startswith("; GENERATED")
    with _tail(small) as following:
        assert following.stdout is not None
        lines = iter(following.stdout.readline, "")
        assert any("serving core v1" in line for line in lines)
        following.terminate()
