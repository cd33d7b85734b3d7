"""The deployment, expanded once: processes, upstreams and routes. `up`, `status`, the renderers and later targets read
this one value, so it holds meanings (an endpoint, a duration), never supervisor's words or nginx's text."""

from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from deploy.layout import Layout

if TYPE_CHECKING:
    from deploy.schema import LogsConfig

CORE = "core"
GATEWAY = "nginx"
LOGS = "logs"
BUS = "bus"


class Tier(IntEnum):
    """Shutdown goes from the highest to the lowest."""

    LOGS = 0
    BUS = 1
    CORE = 2
    MODULES = 3
    GATEWAY = 4


@dataclass(frozen=True)
class Endpoint:
    """Where a process listens."""

    host: str
    port: int

    @property
    def address(self) -> str:
        """`127.0.0.1:8001`, `[::1]:8001`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def reachable(self) -> "Endpoint":
        """The endpoint to connect to: an address that means "every interface" is reached over loopback."""
        loopback = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (compared with, never bound here)
        return Endpoint(loopback.get(self.host, self.host), self.port)


@dataclass(frozen=True)
class Process:
    """One process of the tree. `grace` is the time in seconds from the stop signal to SIGKILL.

    `health_path` tells whether it has started; `health_paths`, one for each module, how those are.
    """

    name: str
    group: str
    tier: Tier
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    endpoint: Endpoint | None = None
    modules: tuple[str, ...] = ()
    health_path: str | None = None
    health_paths: tuple[str, ...] = ()
    stop_signal: Literal["TERM", "QUIT"] = "TERM"
    grace: float = 3.0
    stops_children: bool = False
    starts_by_itself: bool = True

    @property
    def full_name(self) -> str:
        """supervisor's name for it: `broker:broker-0`; a group of one that bears its own name is just `nginx`."""
        return self.name if self.group == self.name else f"{self.group}:{self.name}"

    @property
    def rpc_name(self) -> str:
        """The same, always in full: `nginx:nginx`."""
        return f"{self.group}:{self.name}"


@dataclass(frozen=True)
class Upstream:
    """A server as the gateway sees it: all its instances."""

    name: str
    endpoints: tuple[Endpoint, ...]


@dataclass(frozen=True)
class RestRoute:
    """Requests below `prefix` (`/api/v1/broker`) go to `upstream`. POSTs to `safe_posts` (whole paths) only read, so
    another instance may answer them when one breaks off."""

    prefix: str
    upstream: str
    safe_posts: tuple[str, ...] = ()


@dataclass(frozen=True)
class WebSocketRoute:
    """Connections to exactly `path` (`/api/v1/broker/ws`) go to `upstream`."""

    path: str
    upstream: str


@dataclass(frozen=True)
class DocumentRoutes:
    """The documents of all modules of one version, and their pages, come from `upstream`: exactly `paths`, and what is
    below `pages`."""

    paths: tuple[str, ...]
    pages: tuple[str, ...]
    upstream: str


@dataclass(frozen=True)
class QueryTarget:
    """Where one WebSocket route name leads."""

    route: str
    upstream: str
    path: str


@dataclass(frozen=True)
class QueryRoutes:
    """Connections to `path` (`/api/v1/ws`) are told apart by a query parameter."""

    version: str
    path: str
    parameter: str
    targets: tuple[QueryTarget, ...]


@dataclass(frozen=True)
class Gateway:
    """What the gateway does."""

    endpoint: Endpoint
    worker_processes: int | Literal["auto"]
    worker_connections: int
    body_limit: int
    upstreams: tuple[Upstream, ...]
    rest: tuple[RestRoute, ...]
    websockets: tuple[WebSocketRoute, ...]
    queries: tuple[QueryRoutes, ...]
    documents: tuple[DocumentRoutes, ...]
    health_paths: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """What the machine adds to the configuration: the interpreter, nginx, nats-server (used only where the tree runs
    one), and the user that nginx's workers run as where the tree is started by root."""

    layout: Layout
    python: Path
    nginx: Path
    root_user: str | None = None
    nats: Path = Path("nats-server")


@dataclass(frozen=True)
class Plan:
    """The whole deployment. `start_deadline`, `health_interval`, `health_timeout` and `grace` are seconds.

    So many questions in a row without an answer as `health_failures` says are a hung process; 0: none ever is.

    `key_variable` is the variable with the key of users that servers inherit from supervisord; None: there is none.
    """

    layout: Layout
    processes: tuple[Process, ...]
    gateway: Gateway
    logs: "LogsConfig"
    start_deadline: float
    health_interval: float
    health_timeout: float
    health_failures: int
    grace: float
    root_user: str | None = None
    modules: tuple[str, ...] = field(default=())
    store_url: str = field(default="", repr=False)
    key_variable: str | None = None

    @property
    def bus(self) -> Process | None:
        """The tree's own nats-server, where it has one."""
        return next((process for process in self.processes if process.tier is Tier.BUS), None)

    def awaited(self) -> tuple[Process, ...]:
        """What must answer before the gateway starts: the bus and the servers."""
        return tuple(process for process in self.processes if Tier.BUS <= process.tier <= Tier.MODULES)

    def servers(self) -> tuple[Process, ...]:
        """The processes that serve modules."""
        return tuple(process for process in self.processes if process.tier in (Tier.CORE, Tier.MODULES))

    def named(self, full_name: str) -> Process | None:
        """The process that supervisor calls `full_name`."""
        return next((process for process in self.processes if process.full_name == full_name), None)

    def endpoints(self) -> tuple[tuple[Process, Endpoint], ...]:
        """Every process that listens, with its endpoint."""
        return tuple((process, process.endpoint) for process in self.processes if process.endpoint is not None)
