"""Which of the wanted ports others hold, and who they are (row P07). Nothing here ends anything."""

import errno
import os
import pwd
import socket
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from deploy.runtime.command_text import command_text

if TYPE_CHECKING:
    import psutil

_BIND_TELLS_ALL = sys.platform == "linux"
_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104
_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - compared with, never bound by itself
_LISTEN = "0A"  # TCP_LISTEN in /proc/net/tcp


class Trouble(Enum):
    """Why a port cannot be used."""

    HELD = "held"
    PRIVILEGED = "privileged"
    NOT_LOCAL = "not local"
    UNUSABLE = "unusable"


@dataclass(frozen=True)
class Holder:
    """Who listens: all None where the system does not tell us."""

    pid: int | None = None
    command: str | None = None
    user: str | None = None


@dataclass(frozen=True)
class BusyPort:
    """A port that cannot be used. `pid`, `command` (masked and bounded) and `user` are its holder's, where visible."""

    host: str
    port: int
    pid: int | None = None
    command: str | None = None
    user: str | None = None
    trouble: Trouble = Trouble.HELD
    detail: str = ""

    def __str__(self) -> str:
        """`8001 is held by pid 4242 (python -m http.server 8001)`."""
        if self.trouble is Trouble.PRIVILEGED:
            return f"{self.port} needs administrator rights; choose a port from 1024 up, and forward to it"
        if self.trouble is Trouble.NOT_LOCAL:
            return f"{self.port}: {self.host} is no address of this machine; use 127.0.0.1, or one that it has"
        if self.trouble is Trouble.UNUSABLE:
            return f"{self.port} cannot be used on {self.host}: {self.detail}"
        return f"{self.port} is held by {self._holder()}"

    def _holder(self) -> str:
        if self.pid is not None:
            by = f" of user {self.user}" if self.user is not None and self.user != _own_name() else ""
            return f"pid {self.pid}{by} ({self.command or 'command not visible'})"
        whose = f"user {self.user}" if self.user is not None else "another user"
        return f"a process of {whose}, not visible to you; as root, `ss -ltnp` or `lsof -i :{self.port}` names it"


def busy(endpoints: Iterable[tuple[str, int]]) -> list[BusyPort]:
    """Those of `endpoints` (host, port) that a server could not bind now, in their order, each once."""
    return [found for host, port in dict.fromkeys(endpoints) if (found := _look_at(host, port)) is not None]


def _look_at(host: str, port: int) -> BusyPort | None:
    try:
        infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (socket.gaierror, UnicodeError):
        return BusyPort(host, port, trouble=Trouble.NOT_LOCAL)
    found = {_try(family, str(address[0]), port) for family, _, _, _, address in infos}
    if (Trouble.HELD, "") in found:
        holder = _holder({str(address[0]) for *_, address in infos}, port)
        return BusyPort(host, port, holder.pid, holder.command, holder.user)
    # A name may stand for an IPv6 address that this machine lacks; one address that works is enough.
    if (None, "") in found or not found:
        return None
    trouble, detail = min(found, key=str)
    return BusyPort(host, port, trouble=trouble or Trouble.UNUSABLE, detail=detail)


def _try(family: int, address: str, port: int) -> tuple[Trouble | None, str]:
    """Bind as the servers do: SO_REUSEADDR, so that TIME_WAIT does not count, and IPv6 apart from IPv4."""
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            probe.bind((address, port))
    except OSError as error:
        return _classified(error)
    # Elsewhere than on Linux, SO_REUSEADDR lets 127.0.0.1 be bound beside a listener on 0.0.0.0.
    if _BIND_TELLS_ALL or not _answers(family, address, port):
        return None, ""
    return Trouble.HELD, ""


def _classified(error: OSError) -> tuple[Trouble, str]:
    if error.errno == errno.EADDRINUSE:
        return Trouble.HELD, ""
    if error.errno in (errno.EACCES, errno.EPERM):
        return Trouble.PRIVILEGED, ""
    if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return Trouble.NOT_LOCAL, ""
    return Trouble.UNUSABLE, os.strerror(error.errno or 0)


def _answers(family: int, address: str, port: int) -> bool:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((_LOOPBACK_OF.get(address, address), port)) == 0


def _holder(addresses: set[str], port: int) -> Holder:
    # Only now: it costs tens of ms, and most of the time every port is free.
    import psutil

    pids = [pid for address, pid in _listeners(port) if _clash(address, addresses)]
    visible = [pid for pid in pids if pid is not None]
    try:
        if visible:
            process = _first_listener(psutil.Process(visible[0]), port)
            with process.oneshot():
                return Holder(process.pid, command_text(process.cmdline()) or process.name(), process.username())
    except psutil.Error:
        # It ended meanwhile, or is another user's: the socket's owner is what can still be said.
        pass
    return Holder(user=_owner_of_socket(port))


def _listeners(port: int) -> list[tuple[str, int | None]]:
    """(address, pid) of every visible listening socket on `port`."""
    import psutil

    try:
        return [
            (connection.laddr.ip, connection.pid)
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
        ]
    except psutil.AccessDenied:
        # macOS shows the whole table to root only; each process of one's own can be asked all the same.
        return [(address, process.pid) for process in psutil.process_iter() for address in _listens(process, port)]


def _listens(process: "psutil.Process", port: int) -> list[str]:
    import psutil

    try:
        connections = process.net_connections("tcp")
    except psutil.Error:
        return []
    listening = [item.laddr for item in connections if item.status == psutil.CONN_LISTEN and item.laddr]
    return [address.ip for address in listening if address.port == port]


def _first_listener(process: "psutil.Process", port: int) -> "psutil.Process":
    """The one to stop: of a server whose workers share the socket, their common parent."""
    for parent in process.parents():
        if not _listens(parent, port):
            break
        process = parent
    return process


def _clash(listening: str, wanted: set[str]) -> bool:
    return listening in wanted or listening in _WILDCARDS or bool(wanted.intersection(_WILDCARDS))


def _owner_of_socket(port: int) -> str | None:
    """Who owns the socket that listens on `port`; Linux tells it of every user's, other systems do not."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for fields in (row.split() for row in rows):
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                return _name_of(int(fields[7]))
    return None


def _own_name() -> str:
    return _name_of(os.getuid())


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
