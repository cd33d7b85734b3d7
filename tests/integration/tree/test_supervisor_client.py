"""The client against supervisords that misbehave, on real sockets (P08: never two generations)."""

import socket
import threading
import xmlrpc.client
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from deploy.runtime import supervisor_client
from deploy.runtime.supervisor_client import (
    SupervisorFault,
    SupervisorStalled,
    SupervisorUnavailable,
    connect,
)

_SHUTTING_DOWN = xmlrpc.client.dumps(xmlrpc.client.Fault(6, "SHUTDOWN_STATE"))
_PID = xmlrpc.client.dumps((4242,), methodresponse=True)


def _reply(text: str) -> bytes:
    body = text.encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return head.encode() + body


def _read_call(connection: socket.socket) -> None:
    data = b""
    while b"</methodCall>" not in data and (part := connection.recv(65536)):
        data += part


@contextmanager
def _serving(path: Path, answer: Callable[[int], bytes | None]) -> Iterator[None]:
    """Listens on `path`; `answer` gives the bytes for the n-th connection, None for none and no end."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen()
    held: list[socket.socket] = []

    def serve() -> None:
        for number in range(1000):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            held.append(connection)
            if (data := answer(number)) is not None:
                # Who was interrupted does not wait for the answer.
                with suppress(OSError):
                    _read_call(connection)
                    connection.sendall(data)
                connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(60)
        for connection in held:
            connection.close()


def test_P08_no_socket_and_a_stale_one_are_no_supervisord(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert connect(path) is None
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    assert connect(path, patience=5) is None


def test_P08_one_that_does_not_answer_is_an_error_and_not_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor_client, "_TIMEOUT_S", 0.2)
    with _serving(tmp_path / "s", lambda _: None), pytest.raises(SupervisorStalled, match="did not answer"):
        connect(tmp_path / "s", patience=60)


def test_P08_one_that_is_ending_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "s"

    def answer(number: int) -> bytes:
        if number == 3:
            path.unlink()
        return _reply(_SHUTTING_DOWN)

    with _serving(path, answer):
        assert connect(path, patience=30) is None


def test_P08_one_that_is_ending_for_too_long_is_an_error_that_says_so(tmp_path: Path) -> None:
    with (
        _serving(tmp_path / "s", lambda _: _reply(_SHUTTING_DOWN)),
        pytest.raises(SupervisorFault, match="is stopping the tree"),
    ):
        connect(tmp_path / "s")


def test_P08_an_answer_that_breaks_off_is_an_error(tmp_path: Path) -> None:
    with (
        _serving(tmp_path / "s", lambda _: b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nhalf"),
        pytest.raises(SupervisorUnavailable, match="broke off"),
    ):
        connect(tmp_path / "s")


def test_D03_a_supervisord_of_an_earlier_version_cannot_tell_what_it_holds(tmp_path: Path) -> None:
    faults = [xmlrpc.client.Fault(1, "UNKNOWN_METHOD"), xmlrpc.client.Fault(80, "FAILED")]

    def answer(number: int) -> bytes:
        return _reply(_PID if number == 0 else xmlrpc.client.dumps(faults[number - 1]))

    with _serving(tmp_path / "s", answer):
        client = connect(tmp_path / "s")
        assert client is not None
        with client:
            assert client.digest("NAME", "nonce") is None
            with pytest.raises(SupervisorFault, match="FAILED"):
                client.digest("NAME", "nonce")


def test_P04_an_interrupted_call_does_not_spoil_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _serving(tmp_path / "s", lambda _: _reply(_PID)):
        client = connect(tmp_path / "s")
        assert client is not None
        with client:
            _interrupt_next_answer(monkeypatch)
            with pytest.raises(KeyboardInterrupt):
                client.pid()
            monkeypatch.undo()
            assert client.pid() == 4242


def _interrupt_next_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("http.client.HTTPConnection.getresponse", interrupted)
