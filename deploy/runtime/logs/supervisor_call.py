"""One XML-RPC call to supervisord over its unix socket, small enough for the follower to carry.

supervisor's own client would cost the follower 100 ms and several MB, and has no time limit: a stalled supervisord
would stall the merging of logs, and the end of it.
"""

import os
import re
import signal
import socket
import time
from pathlib import Path

from deploy.errors import DeployError

_MAX_REPLY = 64 * 1024
_FAULT = re.compile(rb"<name>faultCode</name>\s*<value><int>(\d+)</int>")
_FAULT_TEXT = re.compile(rb"<name>faultString</name>\s*<value><string>([^<]*)</string>")
_VALUE = re.compile(rb"<param>\s*<value><(?:int|boolean)>(-?\d+)</")


class SupervisorCallError(DeployError):
    """supervisord did not do what it was asked. `fault` is supervisor's fault code, 0 when there was no answer."""

    def __init__(self, message: str, fault: int = 0) -> None:
        self.fault = fault
        super().__init__(message)


def call(socket_path: Path, method: str, *arguments: str, timeout: float = 2.0) -> int:
    """Call `supervisor.<method>` with string arguments and return its integer or boolean result (0 for others).

    `timeout` in seconds bounds the whole call. Raises SupervisorCallError.
    """
    try:
        reply = _exchange(socket_path, _request(method, arguments), time.monotonic() + timeout)
    except OSError as error:
        raise SupervisorCallError(f"{socket_path}: supervisord does not answer {method}: {error}") from error
    return _result(method, reply)


def signal_process(socket_path: Path, process: str, name: str) -> None:
    """Have supervisord send the signal `name` (`USR1`) to its own `process`. Raises SupervisorCallError."""
    call(socket_path, "signalProcess", process, name)


def reopen_logs(socket_path: Path) -> None:
    """Have supervisord close and open every log it writes, and wait until it has. Raises SupervisorCallError.

    Its pid comes from itself, over its own socket. Two more calls come back only after the signal was served: it
    handles signals after requests, in each round of its loop.
    """
    os.kill(call(socket_path, "getPID"), signal.SIGUSR2)
    call(socket_path, "getPID")
    call(socket_path, "getPID")


def _request(method: str, arguments: tuple[str, ...]) -> bytes:
    parameters = "".join(f"<param><value><string>{_escape(text)}</string></value></param>" for text in arguments)
    name = f"<methodName>supervisor.{_escape(method)}</methodName>"
    payload = f"<?xml version='1.0'?><methodCall>{name}<params>{parameters}</params></methodCall>".encode()
    head = f"POST /RPC2 HTTP/1.0\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {len(payload)}\r\n\r\n"
    return head.encode("ascii") + payload


def _escape(text: str) -> str:
    # xml.sax.saxutils would import urllib, http and ssl.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _unescape(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _exchange(socket_path: Path, request: bytes, deadline: float) -> bytes:
    reply = b""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_left(deadline))
        connection.connect(str(socket_path))
        connection.sendall(request)
        while len(reply) < _MAX_REPLY:
            connection.settimeout(_left(deadline))
            part = connection.recv(_MAX_REPLY)
            if not part:
                break
            reply += part
            if b"</methodResponse>" in reply:
                break
    return reply


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left


def _result(method: str, reply: bytes) -> int:
    if fault := _FAULT.search(reply):
        text = _FAULT_TEXT.search(reply)
        why = _unescape(text[1].decode("utf-8", "replace")) if text else f"fault {fault[1].decode()}"
        raise SupervisorCallError(f"supervisord refused {method}: {why}", int(fault[1]))
    if b"</methodResponse>" not in reply:
        status = reply.split(b"\r\n", 1)[0][:100].decode("latin-1") or "nothing"
        raise SupervisorCallError(f"supervisord answered {method} with {status!r}")
    value = _VALUE.search(reply)
    return int(value[1]) if value else 0
