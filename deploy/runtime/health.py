"""Health: one GET, judged by its status; of the bus its greeting."""

import http.client
import socket
from dataclasses import dataclass

_BODY_LIMIT = 64 * 1024
_GREETING = b"INFO "


@dataclass(frozen=True)
class Answer:
    """What came back. `detail` says in a few words why it is not healthy; empty when it is."""

    healthy: bool
    detail: str = ""
    refused: bool = False


def ask(host: str, port: int, path: str | None, timeout: float) -> Answer:
    """How the process that listens there is: by GET `path`, or where that is None as the bus is asked."""
    return probe(host, port, path, timeout) if path is not None else probe_bus(host, port, timeout)


def probe_bus(host: str, port: int, timeout: float) -> Answer:
    """Connect, and read the greeting that nats-server begins with. Never raises."""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            greeting = connection.recv(len(_GREETING), socket.MSG_WAITALL)
    except OSError as error:
        return _failed(error, timeout)
    return Answer(True) if greeting == _GREETING else Answer(False, "does not greet as nats-server does")


def _failed(error: Exception, timeout: float) -> Answer:
    if isinstance(error, ConnectionRefusedError):
        return Answer(False, "nothing listens", refused=True)
    if isinstance(error, TimeoutError):
        return Answer(False, f"no answer within {timeout:g} s")
    return Answer(False, str(error) or type(error).__name__)


def probe(host: str, port: int, path: str, timeout: float) -> Answer:
    """GET `path`, within `timeout` seconds per step. Never raises: what went wrong is in the answer."""
    connection = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        response.read(_BODY_LIMIT)
    except (OSError, http.client.HTTPException) as error:
        return _failed(error, timeout)
    finally:
        connection.close()
    return Answer(True) if response.status == 200 else Answer(False, f"answered {response.status}")
