"""`python -m trading_api serve` as a process: what it refuses, serves, logs, and how it stops."""

import re
import signal
import socket
import time
from pathlib import Path

import pytest
from support.backend_probe import hooks_run, probe_environment
from support.backend_server import run_module, run_program, running
from support.waiting import wait_until
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

pytestmark = pytest.mark.integration

LINE = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] \[[A-Z]+\] [\w.]+: ")


def errors_in(log: str) -> list[str]:
    return [line for line in log.splitlines() if "] [ERROR] " in line]


def test_A01_broken_module_fails_startup_with_its_name(package: Path) -> None:
    (package / "modules" / "probe" / "api" / "v1.py").write_text("import no_such_thing\n")
    done = run_module(package, ["serve", "--port", "0"], **probe_environment(package))
    assert done.returncode == 1
    (error,) = errors_in(done.stdout)
    assert "module 'probe'" in error
    assert "api/v1.py:1: ModuleNotFoundError: No module named 'no_such_thing'" in error
    assert "Traceback (most recent call last):" in done.stdout
    assert "serving" not in done.stdout
    assert done.stderr == ""


def test_A01_a_module_that_cannot_start_fails_startup_with_its_name(package: Path) -> None:
    done = run_module(package, ["serve", "--port", "0"], **probe_environment(package, PROBE_FAIL="no\nstore"))
    assert done.returncode == 1
    (error,) = errors_in(done.stdout)
    assert r"module 'probe'" in error
    assert r"its start-up failed: OSError: no\nstore" in error
    assert "Traceback (most recent call last):" in done.stdout


def test_M02_wrong_settings_are_all_named_and_exit_with_2(package: Path) -> None:
    done = run_module(package, ["serve", "--port", "0"], ENABLED_MODULES="prob", TRADING_LOG_LEVEL="loud")
    assert done.returncode == 2
    first, second = errors_in(done.stdout)
    assert "did you mean 'probe'?" in first
    assert "TRADING_LOG_LEVEL" in second


def test_M01_a_busy_port_is_one_clear_line(package: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        done = run_module(package, ["serve", "--port", port], ENABLED_MODULES="broker")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert f"port {port} on 127.0.0.1 is in use" in line
    assert "--port" in line
    assert done.stderr == ""


def test_M01_an_address_that_does_not_exist_is_one_clear_line(package: Path) -> None:
    done = run_module(package, ["serve", "--host", "no-such-host.invalid"], ENABLED_MODULES="broker")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert "cannot listen on 'no-such-host.invalid'" in line


def test_M02_only_enabled_modules_are_imported_and_served(package: Path) -> None:
    for name in ("datafeed", "probe"):
        (package / "modules" / name / "__init__.py").write_text("raise AssertionError('imported')\n")
    with running(package, ENABLED_MODULES="broker:v1") as server:
        assert server.get("/api/v1/broker/account").json()["id"] == "DEMO-ACCOUNT"
        assert server.get("/api/v1/core/health").status == 200
        assert server.get("/api/v1/datafeed/health").status == 404
        assert "serving broker v1, core v1 on http://127.0.0.1:" in server.log


def test_M01_every_module_is_served_and_the_log_says_so_in_one_line(package: Path) -> None:
    with running(package, **probe_environment(package, ENABLED_MODULES="", TRADING_API_BASE_URL="/x")) as server:
        for module in ("broker", "core", "datafeed", "probe"):
            assert server.get(f"/x/v1/{module}/health").json()["module_name"] == module
        server.get("/nope")
        assert server.stop() == 0
        log = server.log.splitlines()
    assert all(LINE.match(line) for line in log)
    # What is left are the broker's lines about its link to the quotes, and about who carries out orders.
    lines = [line for line in log if " trading_api.server: " in line]
    assert len(lines) == 2
    assert all("quotes: " in line or "lease broker: " in line for line in log if line not in lines)
    assert f"serving broker v1, core v1, datafeed v1, probe v1 on http://127.0.0.1:{server.port}/x" in lines[0]
    assert lines[1].endswith(": stopped")


def test_M02_import_starts_nothing_and_writes_nothing(package: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in package.parent.rglob("*")}
    program = "import sys; from trading_api import app_factory; print([m for m in sys.modules if 'modules.' in m])"
    done = run_program(package, program)
    assert done.stdout == "[]\n", done.stderr
    assert {path: path.stat().st_mtime_ns for path in package.parent.rglob("*")} == before


def test_A08_a_crash_is_a_problem_and_logged_once_under_its_request_id(package: Path) -> None:
    with running(package, **probe_environment(package)) as server:
        reply = server.get("/api/v1/probe/crash")
        assert (reply.status, reply.headers["content-type"]) == (500, "application/problem+json")
        request_id = reply.headers["x-request-id"]
        assert reply.json()["request_id"] == request_id
        assert "server" not in reply.headers
        server.wait_for_log("RuntimeError: the probe crashed")
        (error,) = errors_in(server.log)
        assert error.endswith(f"unhandled error: GET /api/v1/probe/crash request_id={request_id}")
        assert server.log.count("Traceback") == 1


def test_A04_websocket_is_served_below_its_module(package: Path) -> None:
    with running(package, **probe_environment(package)) as server:
        headers = {"X-Request-ID": "ws-7"}
        with connect(f"ws://127.0.0.1:{server.port}/api/v1/probe/ws", additional_headers=headers) as websocket:
            websocket.send('{"type":"echo.subscribe","payload":{"word":"hello"}}')
            assert '"status":"ok"' in str(websocket.recv(timeout=60))
            assert '"payload":{"word":"hello"}' in str(websocket.recv(timeout=60))
            assert websocket.response is not None
            assert websocket.response.headers["x-request-id"] == "ws-7"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_P05_an_idle_server_stops_at_once_with_0_and_runs_its_hooks(package: Path, number: signal.Signals) -> None:
    with running(package, "--grace", "60", **probe_environment(package)) as server:
        server.get("/api/v1/probe/health")
        start = time.monotonic()
        assert server.stop(number) == 0
        assert time.monotonic() - start < 20
    assert hooks_run(package) == ["start", "stop", "stopped"]


def test_P05_requests_in_flight_are_answered(package: Path) -> None:
    with running(package, **probe_environment(package)) as server, socket.socket() as client:
        client.connect(("127.0.0.1", server.port))
        client.sendall(b"GET /api/v1/probe/slow?seconds=0.3 HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: "slow" in hooks_run(package), what="the request to arrive")
        server.process.send_signal(signal.SIGTERM)
        assert b'"done"' in read_to_end(client)
        assert server.process.wait(timeout=60) == 0
    assert hooks_run(package)[-1] == "stopped"


def test_P05_a_connection_just_made_may_still_send_its_request(package: Path) -> None:
    with running(package, **probe_environment(package)) as server:
        port = server.port
        for _ in range(3):
            server.get("/api/v1/probe/health")
        with socket.create_connection(("127.0.0.1", port)) as client:
            # Another exchange makes sure that the server has accepted the connection by now.
            server.get("/api/v1/probe/health")
            server.process.send_signal(signal.SIGTERM)
            wait_until(lambda: refuses(port), what="the listener to be closed")
            client.sendall(b"GET /api/v1/probe/health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in read_to_end(client)
        assert server.process.wait(timeout=60) == 0


def test_P05_open_websockets_streams_and_idle_connections_do_not_hold_up_the_stop(package: Path) -> None:
    with running(package, "--grace", "1.2", **probe_environment(package)) as server:
        address = ("127.0.0.1", server.port)
        with (
            connect(f"ws://127.0.0.1:{server.port}/api/v1/probe/ws") as websocket,
            socket.create_connection(address) as stream,
            socket.create_connection(address) as idle,
        ):
            stream.sendall(b"GET /api/v1/probe/stream HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in stream.recv(1000)
            idle.sendall(b"GET /api/v1/probe/health HTTP/1.1\r\nHost: x\r\n\r\n")
            assert b"200 OK" in idle.recv(1000)
            start = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - start < 20
            with pytest.raises(ConnectionClosed) as closed:
                websocket.recv(timeout=60)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1012
        assert "1 requests did not end" in server.log
    assert hooks_run(package) == ["start", "stop", "stopped"]


def test_P05_a_shutdown_hook_that_hangs_is_cut_off_and_named_in_the_log(package: Path) -> None:
    with running(package, "--grace", "0.6", **probe_environment(package, PROBE_HANG="60")) as server:
        server.get("/api/v1/probe/health")
        assert server.stop() == 0
        assert "the shutdown hooks took longer than 0.2 s" in server.log
    assert hooks_run(package) == ["start", "stop"]


def test_P05_a_server_that_starts_can_be_stopped(package: Path) -> None:
    with running(package, **probe_environment(package)) as server:
        wait_until(lambda: "start" in hooks_run(package) or server.process.poll() is not None, what="the start")
        assert server.stop() == 0
    assert hooks_run(package) == ["start", "stop", "stopped"]


@pytest.mark.long
def test_G01_generate_check_finds_a_stale_manifest_and_generate_repairs_it(package: Path) -> None:
    environ = probe_environment(package)
    stale = run_module(package, ["generate", "--check"], **environ)
    assert stale.returncode == 1
    assert "run: make generate" in stale.stderr
    assert run_module(package, ["generate"], **environ).returncode == 0
    assert '"probe"' in (package / "manifest.json").read_text()
    assert run_module(package, ["generate", "--check"], **environ).returncode == 0
    assert hooks_run(package) == []


def refuses(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def read_to_end(client: socket.socket) -> bytes:
    client.settimeout(60)
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    return received
