"""supervisord over its unix socket: XML-RPC with types."""

import http.client
import socket
import time
import xmlrpc.client
from dataclasses import dataclass
from pathlib import Path
from typing import cast
from xml.parsers.expat import ExpatError

from deploy.errors import DeployError

RUNNING_STATES = frozenset({"RUNNING", "STARTING"})
STOPPED_STATES = frozenset({"STOPPED", "EXITED", "FATAL", "UNKNOWN"})
# "It is so already" is what was asked for: ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED.
_ALREADY = frozenset({60, 70, 90})
_UNKNOWN_METHOD = 1
_SHUTDOWN_STATE = 6
_TIMEOUT_S = 10.0
_STEP_S = 0.02


class SupervisorUnavailable(DeployError):
    """No supervisord answers on the socket."""


class SupervisorAbsent(SupervisorUnavailable):
    """Nothing listens on the socket, or there is none."""


class SupervisorStalled(SupervisorUnavailable):
    """It listens, and does not answer."""


class SupervisorFault(DeployError):
    """supervisord refused a call; `code` is its fault code."""

    def __init__(self, code: int, text: str) -> None:
        ending = "it is stopping the tree; try again when that is done"
        super().__init__(f"supervisord refused: {ending if code == _SHUTDOWN_STATE else text}")
        self.code = code


@dataclass(frozen=True)
class ProcessInfo:
    """One process as supervisord sees it. `started` is seconds since the epoch (UTC), 0 when it never ran."""

    name: str
    group: str
    state: str
    pid: int
    started: float
    now: float
    exit_status: int
    reason: str

    @property
    def full_name(self) -> str:
        """As in `tree.json` and in supervisorctl: a group of one is called by the one name."""
        return self.name if self.name == self.group else f"{self.group}:{self.name}"

    @property
    def rpc_name(self) -> str:
        """As the XML-RPC interface wants it."""
        return f"{self.group}:{self.name}"

    @property
    def alive(self) -> bool:
        return self.state in RUNNING_STATES

    @property
    def uptime(self) -> float:
        """Seconds since its start; 0 when it is not running."""
        return max(0.0, self.now - self.started) if self.alive else 0.0


@dataclass(frozen=True)
class Difference:
    """What a configuration would change in the running tree, as RPC names."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_TIMEOUT_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.sock.close()
            raise


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._kept: _UnixConnection | None = None

    def make_connection(self, host: object) -> http.client.HTTPConnection:  # noqa: ARG002 (the base class's signature)
        if self._kept is None:
            self._kept = _UnixConnection(self._path)
        return self._kept

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


class SupervisorClient:
    """The calls that this project makes. Every one raises SupervisorUnavailable when nobody answers, and
    SupervisorFault when supervisord refuses. Use it as a context manager, or `close` it."""

    def __init__(self, socket_path: Path) -> None:
        self._transport = _UnixTransport(socket_path)
        self._socket_path = socket_path
        self._proxy = xmlrpc.client.ServerProxy("http://supervisord/RPC2", transport=self._transport)

    def __enter__(self) -> "SupervisorClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._transport.close()

    def pid(self) -> int:
        """supervisord's own pid."""
        return cast("int", self._call("supervisor.getPID"))

    def processes(self) -> list[ProcessInfo]:
        """Every process of the tree."""
        rows = cast("list[dict[str, object]]", self._call("supervisor.getAllProcessInfo"))
        return [_info(row) for row in rows]

    def overview(self) -> dict[str, dict[str, int]]:
        """By RPC name: `priority` of the group and `restarts` after a death."""
        return cast("dict[str, dict[str, int]]", self._call("tree.overview"))

    def digest(self, name: str, nonce: str) -> str | None:
        """`digest_of` a variable that its children inherit; empty: it has none.

        None: it was started by an earlier version, which cannot tell.
        """
        try:
            return cast("str", self._call("tree.digest", name, nonce))
        except SupervisorFault as fault:
            if fault.code != _UNKNOWN_METHOD:
                raise
            return None

    def compare(self, conf: Path | None = None) -> Difference:
        """What the configuration on disk (or the one given) would change. Nothing is applied."""
        rows = cast("dict[str, list[str]]", self._call("tree.compare", str(conf or "")))
        return Difference(*(tuple(rows[kind]) for kind in ("added", "changed", "removed")))

    def adopt(self, names: list[str]) -> None:
        """Add, replace or drop these stopped processes as the configuration on disk says."""
        self._call("tree.adopt", names)

    def start(self, name: str) -> None:
        """Start one process; does not wait. One that runs already is fine."""
        self._call_idempotent("supervisor.startProcess", name, False)

    def stop(self, names: list[str], timeout: float) -> None:
        """Stop these; SIGKILL after `timeout` seconds. Does not wait."""
        self._call("tree.stop", names, float(timeout))

    def confirm(self, names: list[str]) -> None:
        """Tell supervisord that these are healthy, and so RUNNING."""
        self._call("tree.confirm", names)

    def signal(self, name: str, signal_name: str) -> None:
        """Send a signal, such as HUP, to one process."""
        self._call_idempotent("supervisor.signalProcess", name, signal_name)

    def shutdown(self) -> None:
        """Ask supervisord to end."""
        self._call("supervisor.shutdown")

    def _call_idempotent(self, method: str, *arguments: object) -> None:
        try:
            self._call(method, *arguments)
        except SupervisorFault as fault:
            if fault.code not in _ALREADY:
                raise

    def _call(self, method: str, *arguments: object) -> object:
        try:
            return getattr(self._proxy, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise SupervisorFault(fault.faultCode, fault.faultString) from None
        except (OSError, http.client.HTTPException, xmlrpc.client.Error, ExpatError) as error:
            self._transport.close()
            raise _unavailable(self._socket_path, error) from None
        except BaseException:
            # Ctrl-C between request and answer: the next call needs a connection that owes nothing.
            self._transport.close()
            raise


def _info(row: dict[str, object]) -> ProcessInfo:
    return ProcessInfo(
        name=str(row["name"]),
        group=str(row["group"]),
        state=str(row["statename"]),
        pid=cast("int", row["pid"]),
        started=float(cast("int", row["start"])),
        now=float(cast("int", row["now"])),
        exit_status=cast("int", row["exitstatus"]),
        reason=str(row["spawnerr"]),
    )


def _unavailable(socket_path: Path, error: Exception) -> SupervisorUnavailable:
    if isinstance(error, ConnectionRefusedError | FileNotFoundError):
        return SupervisorAbsent(f"no supervisord listens on {socket_path}")
    if isinstance(error, TimeoutError):
        return SupervisorStalled(
            f"supervisord on {socket_path} did not answer within {_TIMEOUT_S:g} s; see whether a signal stopped it"
        )
    return SupervisorUnavailable(f"supervisord on {socket_path} broke off ({str(error) or type(error).__name__})")


def connect(socket_path: Path, *, patience: float = 0.0) -> SupervisorClient | None:
    """A client to the supervisord that listens there; None when there is none (a stale socket file is none).

    One that is about to end is waited for, up to `patience` seconds. Raises SupervisorFault or SupervisorUnavailable
    when it is not gone by then, and SupervisorStalled for one that listens but does not answer.
    """
    deadline = time.monotonic() + patience
    while socket_path.exists():
        client = SupervisorClient(socket_path)
        try:
            client.pid()
            return client
        except SupervisorAbsent:
            client.close()
            return None
        except (SupervisorFault, SupervisorUnavailable) as error:
            client.close()
            if not _is_ending(error) or time.monotonic() >= deadline:
                raise
        time.sleep(_STEP_S)
    return None


def _is_ending(error: DeployError) -> bool:
    if isinstance(error, SupervisorFault):
        return error.code == _SHUTDOWN_STATE
    return not isinstance(error, SupervisorStalled)
