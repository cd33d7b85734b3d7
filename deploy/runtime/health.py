"""Health: one GET, judged by its status and by what its body says; of the bus its greeting."""

import http.client
import json
import socket
from dataclasses import dataclass

_BODY_LIMIT = 64 * 1024
_GREETING = b"INFO "
_MESSAGE_LIMIT = 200


@dataclass(frozen=True)
class Answer:
    """What came back. `detail` says in a few words why it is not healthy; empty when it is.

    `degraded`: it answers, and tells in these words what is missing; such a process has started all the same.
    """

    healthy: bool
    detail: str = ""
    refused: bool = False
    degraded: str = ""


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
        body = response.read(_BODY_LIMIT)
    except (OSError, http.client.HTTPException) as error:
        return _failed(error, timeout)
    finally:
        connection.close()
    if response.status != 200:
        return Answer(False, f"answered {response.status}")
    return Answer(True, degraded=_degraded(body))


def _degraded(body: bytes) -> str:
    """What a module says it lacks, in one line of bounded length; empty where it lacks nothing, or says nothing."""
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict) or said.get("status") != "degraded":
        return ""
    words = " ".join(str(said.get("message") or "it does not say why").split())
    line = "".join(character for character in words if character.isprintable())
    return line if len(line) <= _MESSAGE_LIMIT else f"{line[: _MESSAGE_LIMIT - 1]}…"
