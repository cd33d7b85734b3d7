"""P07: busy ports are found as the servers would find them, and named with their holder."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from support.waiting import wait_until

from deploy.runtime import ports
from deploy.runtime.ports import Trouble, busy

pytestmark = pytest.mark.integration


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server


def port_of(server: socket.socket) -> int:
    return int(server.getsockname()[1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return port_of(probe)


def test_P07_a_free_port_is_not_busy() -> None:
    assert busy([("127.0.0.1", free_port())]) == []


def test_P07_the_holder_is_named_with_pid_and_command(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "http.server", "--bind", "127.0.0.1", "0"]
    with (tmp_path / "out").open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as server:
        try:
            connections = psutil.Process(server.pid).net_connections
            port = wait_until(
                lambda: next((item.laddr.port for item in connections("tcp") if item.status == psutil.CONN_LISTEN), 0)
            )
            (found,) = busy([("127.0.0.1", port)])
        finally:
            server.terminate()
    assert found.pid == server.pid
    assert str(found).startswith(f"{port} is held by pid {server.pid} (")
    assert "http.server" in str(found)
    assert server.wait(60) != 0


def test_P07_of_a_server_with_workers_the_parent_is_named(listener: socket.socket) -> None:
    code = "import sys; print(1, flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[listener.fileno()]
    ) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == b"1\n"
        (found,) = busy([("127.0.0.1", port_of(listener))])
        worker.communicate()
    assert found.pid == psutil.Process().pid


def test_P07_a_holder_that_cannot_be_seen_is_said_to_be_so(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psutil, "net_connections", lambda _: [])
    monkeypatch.setattr(ports, "_own_name", lambda: "somebody else")
    (found,) = busy([("127.0.0.1", port_of(listener))])
    assert found.pid is None
    assert found.user == psutil.Process().username()
    assert f"of user {found.user}, not visible to you" in str(found)


def test_P07_where_only_root_sees_the_table_own_processes_are_asked(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(kind: str) -> None:
        raise psutil.AccessDenied

    monkeypatch.setattr(psutil, "net_connections", denied)
    (found,) = busy([("127.0.0.1", port_of(listener))])
    assert found.pid == psutil.Process().pid


def test_P07_time_wait_is_not_busy() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = port_of(server)
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()
            assert client.recv(1) == b""
    states = [item.status for item in psutil.net_connections("tcp") if item.laddr and item.laddr.port == port]
    assert psutil.CONN_TIME_WAIT in states
    assert busy([("127.0.0.1", port)]) == []


@pytest.mark.parametrize(("held", "wanted"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "0.0.0.0")])
def test_P07_a_wildcard_and_an_address_clash(held: str, wanted: str) -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((held, 0))
        server.listen()
        (found,) = busy([(wanted, port_of(server))])
    assert found.pid == psutil.Process().pid


def test_P07_where_bind_does_not_tell_a_listener_that_answers_does(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ports, "_BIND_TELLS_ALL", False)
    monkeypatch.setattr(socket.socket, "bind", lambda *_: None)
    assert [found.trouble for found in busy([("127.0.0.1", port_of(listener))])] == [Trouble.HELD]
    assert busy([("127.0.0.1", free_port_of_kernel(listener))]) == []


def free_port_of_kernel(listener: socket.socket) -> int:
    """A port on which nothing listens, without binding, which is patched here."""
    taken = {item.laddr.port for item in psutil.net_connections("tcp") if item.laddr}
    return next(port for port in range(port_of(listener) - 1, 1024, -1) if port not in taken)


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_P07_ipv6_is_looked_at_and_apart_from_ipv4() -> None:
    with socket.socket(socket.AF_INET6) as server:
        server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        server.bind(("::1", 0))
        server.listen()
        port = port_of(server)
        assert [found.host for found in busy([("::1", port), ("127.0.0.1", port)])] == ["::1"]


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_P07_a_dual_stack_listener_holds_the_ipv4_port_too() -> None:
    with socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        assert [found.pid for found in busy([("127.0.0.1", port_of(server))])] == [psutil.Process().pid]


def test_P07_each_endpoint_is_reported_once_and_in_order(listener: socket.socket) -> None:
    port, free = port_of(listener), free_port()
    found = busy([("127.0.0.1", port), ("127.0.0.1", free), ("127.0.0.1", port), ("0.0.0.0", port)])
    assert [item.host for item in found] == ["127.0.0.1", "0.0.0.0"]


def test_P07_an_address_of_another_machine_is_said_to_be_so() -> None:
    found = busy([("192.0.2.1", 8001), ("no such host", 8001)])
    assert [item.trouble for item in found] == [Trouble.NOT_LOCAL, Trouble.NOT_LOCAL]


def test_P07_a_privileged_port_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(self: socket.socket, address: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(socket.socket, "bind", denied)
    (found,) = busy([("127.0.0.1", 80)])
    assert found.trouble is Trouble.PRIVILEGED
    assert "choose a port from 1024 up" in str(found)
