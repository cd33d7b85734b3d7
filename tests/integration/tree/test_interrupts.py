"""Ctrl-C at any moment of up, and several commands at once."""

import os
import signal
import subprocess

import pytest
from support.probe_module import probe_config
from support.project import Project
from support.tree_socket import socket_of, supervisords
from support.waiting import wait_until


def _reached(project: Project, stage: str) -> bool:
    """How far an up has come, as the files tell it."""
    if stage == "supervisord is being started":
        return (project.local / "etc" / "supervisord.conf").exists()
    return socket_of(project).exists()


def _interrupted_at(project: Project, stage: str, number: signal.Signals) -> "tuple[int, str]":
    with project.popen("start", "--verbose") as starting:
        wait_until(lambda: _reached(project, stage), what=stage, step=0.002)
        starting.send_signal(number)
        _, told = starting.communicate(timeout=60)
        return starting.returncode, told


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("supervisord is being started", signal.SIGINT),
        ("servers start", signal.SIGTERM),
        pytest.param("supervisord is being started", signal.SIGTERM, marks=pytest.mark.long),
        pytest.param("servers start", signal.SIGINT, marks=pytest.mark.long),
    ],
)
def test_P04_an_interrupted_up_leaves_nothing(probed: Project, stage: str, number: signal.Signals) -> None:
    probed.write(probe_config(probed, env={"PROBE_HANGS": "1"}))
    code, told = _interrupted_at(probed, stage, number)
    assert code == 130, told
    assert "interrupted" in told
    assert "Traceback" not in told
    probed.assert_gone()
    assert not socket_of(probed).exists()


def test_P04_a_second_ctrl_c_does_not_leave_half_a_tree(probed: Project) -> None:
    probed.write(probe_config(probed, env={"PROBE_HANGS": "1"}, shutdown={"grace": "1s"}))
    with probed.popen("start", "--verbose") as starting:
        wait_until(lambda: probed.log("core-0"), what="a server to log")
        starting.send_signal(signal.SIGINT)
        assert starting.stderr is not None
        for line in iter(starting.stderr.readline, ""):
            if "stopping what was started" in line:
                break
        for _ in range(3):
            starting.send_signal(signal.SIGINT)
        starting.communicate(timeout=60)
        assert starting.returncode == 130
    probed.assert_gone()


@pytest.mark.long
def test_P06_an_interrupted_change_goes_back_to_what_ran(probed: Project) -> None:
    probed.up()
    before = probed.pids()
    config = probe_config(probed)
    config["servers"]["more"] = {"port": probed.port + 9, "modules": [], "env": {"PROBE_HANGS": "1"}}
    config["servers"]["probe"]["env"] = {"PROBE_HANGS": "1"}
    probed.write(config)
    with probed.popen("start", "--verbose") as changing:
        wait_until(lambda: probed.log("more-0"), what="the new server to start")
        changing.send_signal(signal.SIGINT)
        _, told = changing.communicate(timeout=60)
    assert changing.returncode == 130, told
    assert "the former configuration is in force again" in told
    assert probed.get("/api/v1/probe/health").status_code == 200
    after = probed.pids()
    assert {name: after[name] for name in ("core:core-0", "logs", "nginx")} == {
        name: before[name] for name in ("core:core-0", "logs", "nginx")
    }
    assert "more:more-0" not in after


def test_P08_two_ups_at_once_make_one_generation(small: Project) -> None:
    with small.popen("start", "--json") as first, small.popen("start", "--json") as second:
        answers = [process.communicate(timeout=60)[0] for process in (first, second)]
    assert (first.returncode, second.returncode) == (0, 0), answers
    assert sorted('"fresh": true' in answer for answer in answers) == [False, True]
    assert len(supervisords(small)) == 1
    assert small.status()["healthy"]


@pytest.mark.long
def test_P08_up_while_down_waits_for_it_and_starts_anew(small: Project) -> None:
    first = small.up()
    with small.popen("stop") as stopping:
        wait_until(lambda: small.port not in small.listening(), what="the gateway to be stopped", step=0.005)
        again = small.up()
        assert stopping.wait(60) == 0
    assert again["fresh"]
    assert again["supervisord"] != first["supervisord"]
    assert again["healthy"]


@pytest.mark.long
def test_P08_down_while_up_waits_for_it_and_stops_everything(small: Project) -> None:
    with small.popen("start") as starting:
        wait_until(socket_of(small).exists, what="supervisord", step=0.005)
        done = small.run("stop", check=0)
        assert starting.wait(60) == 0
    assert "another command (pid" in done.stderr
    assert "stopped 3 processes" in done.stdout
    small.assert_gone()


def _next_line(stream: "subprocess.Popen[str]", wanted: str) -> None:
    assert stream.stderr is not None
    assert any(wanted in line for line in iter(stream.stderr.readline, "")), wanted


@pytest.mark.parametrize(
    "number",
    [signal.SIGINT, *(pytest.param(each, marks=pytest.mark.long) for each in (signal.SIGTERM, signal.SIGHUP))],
)
def test_P11_foreground_stops_the_tree_in_order(small: Project, number: signal.Signals) -> None:
    with small.popen("start", "--foreground") as running:
        _next_line(running, "Ctrl-C stops the tree")
        assert small.get("/api/v1/core/health").status_code == 200
        running.send_signal(number)
        _, told = running.communicate(timeout=60)
    assert running.returncode == 0, told
    order = [told.find(f"{name:<24} stopped") for name in ("nginx", "core:core-0", "logs")]
    assert -1 not in order
    assert order == sorted(order)
    small.assert_gone()


def test_P11_foreground_shows_the_logs_and_ends_with_supervisord(small: Project) -> None:
    with small.popen("start", "--foreground") as running:
        _next_line(running, "Ctrl-C stops the tree")
        supervisord = small.status()["supervisord"]
        os.kill(small.pids()["core:core-0"], signal.SIGKILL)
        wait_until(lambda: small.run("status").returncode == 0, what="core to be back")
        os.kill(supervisord, signal.SIGKILL)
        shown, told = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "supervisord ended by itself" in told
    assert any(line.startswith(f"{'core-0':<20} >> [") and "serving core" in line for line in shown.splitlines())
    assert f"{'supervisord':<20} >> " in shown
    small.assert_gone()
