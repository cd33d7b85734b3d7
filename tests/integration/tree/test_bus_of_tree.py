"""D02: the tree's own nats-server comes when a module runs twice, obeys the tree's rules, and its death is survived."""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator

import psutil
import pytest
from support.project import Project, project_in
from support.waiting import wait_until

SERVERS = {"broker:broker-0", "datafeed:datafeed-0", "core:core-0"}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One project for the whole file."""
    with project_in(tmp_path_factory.mktemp("bus") / "project") as project:
        yield project


@pytest.fixture
def twice(shared: Project) -> Project:
    """Two datafeeds, hence a bus, running and healthy, whatever the test before has left."""
    shared.write(shared.standard(datafeed={"instances": 2}))
    shared.up()
    return shared


def _greeting(port: int) -> dict[str, object]:
    """What nats-server says first."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection, connection.makefile("rb") as stream:
        word, _, document = stream.readline().partition(b" ")
    assert word == b"INFO"
    answer: dict[str, object] = json.loads(document)
    return answer


def _says(port: int, token: str) -> bytes:
    """How nats-server answers a client with this token."""
    with socket.create_connection(("127.0.0.1", port), 60) as connection, connection.makefile("rb") as stream:
        stream.readline()
        connection.sendall(b'CONNECT {"auth_token":"%s","verbose":false}\r\nPING\r\n' % token.encode())
        return stream.readline()


def _environment(project: Project, name: str) -> dict[str, str]:
    return psutil.Process(project.pids()[name]).environ()


@pytest.mark.long
def test_D02_without_need_there_is_no_bus(shared: Project) -> None:
    shared.write()
    assert set(shared.up()["started"]) <= {*SERVERS, "logs", "nginx"}
    assert not (shared.local / "run" / "bus.token").exists()
    assert _environment(shared, "datafeed:datafeed-0")["TRADING_BUS_URL"] == ""


def test_P06_a_second_instance_brings_the_bus_and_restarts_who_needs_it(shared: Project) -> None:
    shared.write()
    shared.up()
    before = shared.pids()
    shared.write(shared.standard(datafeed={"instances": 2}))
    rows = json.loads(shared.run("plan", "--json", check=0).stdout)
    planned = {row["process"]: row["action"] for row in rows if row["action"] != "leave"}
    assert planned == {
        "bus": "start",
        "broker:broker-0": "restart",
        "datafeed:datafeed-0": "restart",
        "datafeed:datafeed-1": "start",
        "nginx": "reload",
    }
    done = shared.up()
    assert sorted(done["started"]) == ["bus", "datafeed:datafeed-1"]
    assert sorted(done["restarted"]) == ["broker:broker-0", "datafeed:datafeed-0"]
    after = shared.pids()
    assert all(after[name] == before[name] for name in ("core:core-0", "logs", "nginx"))
    for name in ("datafeed:datafeed-0", "datafeed:datafeed-1"):
        environment = _environment(shared, name)
        assert environment["TRADING_BUS_URL"] == f"nats://127.0.0.1:{shared.bus_port}"
        assert environment["TRADING_BUS_TOKEN_FILE"] == ".local/run/bus.token"
    # A broker alone has nobody to talk to; it restarts for the address of the second datafeed.
    for name in ("broker:broker-0", "core:core-0"):
        assert _environment(shared, name)["TRADING_BUS_URL"] == ""
    assert _environment(shared, "broker:broker-0")["TRADING_QUOTES_URL"].count("ws://") == 2


@pytest.mark.long
def test_P06_another_feed_restarts_the_datafeed_only(shared: Project) -> None:
    shared.write()
    shared.up()
    shared.write({**shared.standard(), "feed": {"kind": "simulated", "seed": 42}})
    rows = json.loads(shared.run("plan", "--json", check=0).stdout)
    assert {row["process"] for row in rows if row["action"] != "leave"} == {"datafeed:datafeed-0"}
    done = shared.up()
    assert (done["started"], done["restarted"], done["stopped"]) == ([], ["datafeed:datafeed-0"], [])


@pytest.mark.parametrize("verb", [pytest.param("plan", marks=pytest.mark.long), "start"])
def test_D02_a_token_file_of_no_use_is_told_before_anything_changes(shared: Project, verb: str) -> None:
    shared.write()
    shared.up()
    before = shared.pids()
    bus = {"url": "nats://127.0.0.1:1", "token_file": "missing.token"}
    shared.write({**shared.standard(), "bus": bus})
    assert "bus.token_file: cannot read missing.token: No such file" in shared.run(verb, check=1).stderr
    assert shared.pids() == before


@pytest.mark.long
def test_P06_a_bus_that_is_needed_no_more_goes(twice: Project) -> None:
    twice.write()
    done = twice.up()
    assert sorted(done["stopped"]) == ["bus", "datafeed:datafeed-1"]
    assert twice.bus_port not in twice.listening()
    assert not (twice.local / "etc" / "nats.conf").exists()
    assert (twice.local / "run" / "bus.token").exists()
    assert "bus" not in twice.supervisorctl("status").stdout


def test_P06_nothing_changed_leaves_the_bus_and_its_token_alone(twice: Project) -> None:
    before, token = twice.pids(), (twice.local / "run" / "bus.token").read_text()
    done = twice.up()
    assert (done["started"], done["restarted"], done["stopped"]) == ([], [], [])
    assert (twice.pids(), (twice.local / "run" / "bus.token").read_text()) == (before, token)


def test_P14_the_bus_listens_on_loopback_and_wants_the_token(twice: Project) -> None:
    listening = {
        connection.laddr.ip
        for connection in psutil.Process(twice.pids()["bus"]).net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    assert listening == {"127.0.0.1"}
    token_file, conf = twice.local / "run" / "bus.token", twice.local / "etc" / "nats.conf"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (token_file, conf)} == {0o600}
    token = token_file.read_text().strip()
    greeting = _greeting(twice.bus_port)
    assert (greeting["auth_required"], greeting["max_payload"]) == (True, 1024 * 1024)
    assert _says(twice.bus_port, token) == b"PONG\r\n"
    assert b"Authorization Violation" in _says(twice.bus_port, "x" * 43)
    logs = [path.read_text(errors="replace") for path in (twice.local / "logs").iterdir() if path.is_file()]
    assert not any(token in text for text in logs)
    assert token not in json.dumps([process.cmdline() for process in twice.processes()])


def test_P10_status_shows_the_bus_with_its_health(twice: Project) -> None:
    row = twice.process("bus")
    assert (row["state"], row["health"], row["address"]) == ("RUNNING", "healthy", f"127.0.0.1:{twice.bus_port}")
    os.kill(row["pid"], signal.SIGSTOP)
    try:
        wait_until(lambda: twice.process("bus")["health"].startswith("no answer within"), what="a hung bus to show")
        assert twice.run("status").returncode == 1
    finally:
        os.kill(row["pid"], signal.SIGCONT)
    wait_until(lambda: twice.run("status").returncode == 0, what="a healthy tree")


def test_P13_the_bus_has_a_log_of_its_own_that_is_merged(twice: Project) -> None:
    assert "Server is ready" in twice.log("bus")
    merged = twice.run("logs", "bus", "--lines", "5", check=0).stdout
    assert all(line.startswith("bus                  >> ") for line in merged.splitlines())
    assert "Server is ready" in merged


def test_D02_the_servers_survive_the_death_of_the_bus(twice: Project) -> None:
    before = twice.pids()
    os.kill(before["bus"], signal.SIGKILL)
    wait_until(lambda: twice.process("bus")["pid"] not in (0, before["bus"]), what="another bus")
    wait_until(lambda: twice.run("status").returncode == 0, timeout=60, what="a healthy tree")
    after = twice.pids()
    assert {name for name in after if after[name] != before[name]} == {"bus"}
    assert twice.process("bus")["restarts"] >= 1
    assert _says(twice.bus_port, (twice.local / "run" / "bus.token").read_text().strip()) == b"PONG\r\n"


def test_D02_a_removed_token_is_replaced_by_restarting_the_bus_only(twice: Project) -> None:
    before, token_file = twice.pids(), twice.local / "run" / "bus.token"
    old = token_file.read_text()
    token_file.unlink()
    done = twice.up()
    assert (done["started"], done["restarted"], done["stopped"]) == ([], ["bus"], [])
    new = token_file.read_text()
    assert new != old
    assert _says(twice.bus_port, new.strip()) == b"PONG\r\n"
    assert {name for name, pid in twice.pids().items() if pid != before[name]} == {"bus"}


@pytest.mark.long
def test_P07_a_busy_port_of_the_bus_is_named_and_nothing_changes(shared: Project) -> None:
    shared.write()
    shared.up()
    before = shared.pids()
    shared.write(shared.standard(datafeed={"instances": 2}))
    with socket.create_server(("127.0.0.1", shared.bus_port)):
        done = shared.run("start", check=1)
    assert f"bus: {shared.bus_port} is held by pid {os.getpid()}" in done.stderr
    assert shared.pids() == before


@pytest.mark.long
def test_D02_a_nats_server_of_no_use_stops_up_before_anything_else(twice: Project) -> None:
    before = twice.pids()
    twice.environment["NATS_SERVER"] = "/bin/true"
    try:
        for verb in ("start", "restart"):
            done = twice.run(verb, check=1)
            assert "NATS_SERVER=/bin/true: `nats-server --version` names no version" in done.stderr
    finally:
        del twice.environment["NATS_SERVER"]
    assert twice.pids() == before


def test_P05_down_stops_the_bus_after_the_servers(twice: Project) -> None:
    answer = json.loads(twice.run("stop", "--json", check=0).stdout)
    order = answer["stopped"]
    assert order[0] == "nginx"
    assert max(order.index(name) for name in order if ":" in name) < order.index("bus") < order.index("logs")
    twice.assert_gone()


@pytest.mark.long
def test_P08_a_bus_that_a_killed_supervisord_left_is_ended_before_the_next_start(twice: Project) -> None:
    before = twice.pids()
    os.kill(twice.status()["supervisord"], signal.SIGKILL)
    done = twice.run("start", "--json", check=0)
    assert json.loads(done.stdout)["fresh"]
    assert not psutil.pid_exists(before["bus"])
    assert twice.process("bus")["pid"] != before["bus"]


@pytest.mark.long
def test_P05_a_plain_sigterm_to_supervisord_takes_the_bus_along(twice: Project) -> None:
    os.kill(twice.status()["supervisord"], signal.SIGTERM)
    twice.assert_gone()
