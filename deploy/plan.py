"""The deployment, expanded once: processes, upstreams and routes. `up`, `status`, the renderers and later targets read
this one value, so it holds meanings (an endpoint, a duration), never supervisor's words or nginx's text."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Literal

from deploy.layout import Layout
from deploy.manifest import Manifest, VersionEntry
from deploy.schema import DeploymentConfig, LogsConfig, NginxConfig, ServerConfig

CORE = "core"
GATEWAY = "nginx"
LOGS = "logs"


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
    """One process of the tree. `grace` is the time in seconds from the stop signal to SIGKILL."""

    name: str
    group: str
    tier: Tier
    argv: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    endpoint: Endpoint | None = None
    modules: tuple[str, ...] = ()
    health_path: str | None = None
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
    """Requests below `prefix` (`/api/v1/broker`) go to `upstream`."""

    prefix: str
    upstream: str


@dataclass(frozen=True)
class WebSocketRoute:
    """Connections to exactly `path` (`/api/v1/broker/ws`) go to `upstream`."""

    path: str
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
    health_paths: tuple[str, ...]


@dataclass(frozen=True)
class Site:
    """What the machine adds to the configuration: the interpreter, nginx, and the user that nginx's workers run as
    where the tree is started by root."""

    layout: Layout
    python: Path
    nginx: Path
    root_user: str | None = None


@dataclass(frozen=True)
class Plan:
    """The whole deployment. `start_deadline`, `health_timeout` and `grace` are seconds."""

    layout: Layout
    processes: tuple[Process, ...]
    gateway: Gateway
    logs: LogsConfig
    start_deadline: float
    health_timeout: float
    grace: float
    root_user: str | None = None
    modules: tuple[str, ...] = field(default=())

    def servers(self) -> tuple[Process, ...]:
        """The processes that serve modules."""
        return tuple(process for process in self.processes if process.tier in (Tier.CORE, Tier.MODULES))

    def named(self, full_name: str) -> Process | None:
        """The process that supervisor calls `full_name`."""
        return next((process for process in self.processes if process.full_name == full_name), None)

    def endpoints(self) -> tuple[tuple[Process, Endpoint], ...]:
        """Every process that listens, with its endpoint."""
        return tuple((process, process.endpoint) for process in self.processes if process.endpoint is not None)


def plan(config: DeploymentConfig, manifest: Manifest, site: Site) -> Plan:
    """Expand a checked configuration. Pure: the same input gives the same plan, and nothing is read or written."""
    gateway = _gateway(config, manifest)
    servers = [process for name in config.servers for process in _instances(name, config, manifest, site)]
    processes = [*_log_follower(config, site), *sorted(servers, key=lambda process: process.tier)]
    return Plan(
        layout=site.layout,
        processes=(*processes, _nginx(config, site)),
        gateway=gateway,
        logs=config.logs,
        start_deadline=config.health.start_deadline,
        health_timeout=config.health.timeout,
        grace=config.shutdown.grace,
        root_user=site.root_user,
        modules=tuple(sorted({CORE, *(module for server in config.servers.values() for module in server.modules)})),
    )


def serve_argv(python: Path, endpoint: Endpoint, *, grace: float, reload: bool) -> tuple[str, ...]:
    """The command of one server process; its settings are in the environment."""
    # -P keeps whatever stands in the working folder off the import path.
    argv = [str(python), "-P", "-m", "trading_api", "serve", "--host", endpoint.host, "--port", str(endpoint.port)]
    return (*argv, "--grace", f"{grace:g}", *(["--reload"] if reload else []))


def serve_environment(config: DeploymentConfig, modules: tuple[str, ...]) -> dict[str, str]:
    """The settings of a server process (`trading_api.settings`)."""
    return {
        "ENABLED_MODULES": ",".join(modules),
        "TRADING_API_BASE_URL": config.api_base_url,
        "TRADING_BODY_LIMIT": str(config.limits.body),
        "TRADING_LOG_LEVEL": config.logs.level,
    }


def _with_core(server: ServerConfig) -> tuple[str, ...]:
    """C05: core is in every server, listed or not."""
    return (CORE, *(module for module in server.modules if module != CORE))


def _instances(name: str, config: DeploymentConfig, manifest: Manifest, site: Site) -> Iterator[Process]:
    server = config.servers[name]
    modules = _with_core(server)
    env = {**serve_environment(config, modules), **server.env}
    first_version = next(iter(manifest.modules[CORE].versions.values()))
    for index in range(server.instances):
        endpoint = Endpoint(server.host, server.port + index)
        yield Process(
            name=f"{name}-{index}",
            group=name,
            tier=Tier.CORE if name == CORE or modules == (CORE,) else Tier.MODULES,
            argv=serve_argv(site.python, endpoint, grace=config.shutdown.grace, reload=server.reload),
            env=tuple(sorted(env.items())),
            endpoint=endpoint,
            modules=modules,
            health_path=config.api_base_url + first_version.health_path,
            grace=config.shutdown.grace,
            stops_children=True,
        )


def _nginx(config: DeploymentConfig, site: Site) -> Process:
    layout = site.layout
    argv = (str(site.nginx), "-e", "stderr", "-p", f"{layout.local}/", "-c", str(layout.nginx_conf))
    return Process(
        name=GATEWAY,
        group=GATEWAY,
        tier=Tier.GATEWAY,
        argv=argv,
        endpoint=_gateway_endpoint(config.nginx),
        stop_signal="QUIT",
        grace=config.shutdown.grace,
        stops_children=True,
        starts_by_itself=False,
    )


def _log_follower(config: DeploymentConfig, site: Site) -> Iterator[Process]:
    """The process that writes `backend-unified.log` and keeps nginx's own logs bounded (P13)."""
    layout = site.layout
    options = {
        "--logs": layout.logs,
        "--state": layout.run / "logs.json",
        "--socket": layout.socket,
        "--max-bytes": config.logs.max_bytes,
        "--backups": config.logs.backups,
    }
    flags = [str(word) for pair in options.items() for word in pair]
    if not config.logs.unified:
        flags.append("--no-unified")
    argv = (str(site.python), "-P", "-m", "deploy.runtime.logs.follower", *flags)
    yield Process(name=LOGS, group=LOGS, tier=Tier.LOGS, argv=argv, grace=config.shutdown.grace)


def _gateway_endpoint(nginx: NginxConfig) -> Endpoint:
    return Endpoint(nginx.host, nginx.port)


def _gateway(config: DeploymentConfig, manifest: Manifest) -> Gateway:
    placed = list(_placed(config, manifest))
    base = config.api_base_url
    return Gateway(
        endpoint=_gateway_endpoint(config.nginx),
        worker_processes=config.nginx.worker_processes,
        worker_connections=config.nginx.worker_connections,
        body_limit=config.limits.body,
        upstreams=tuple(_upstream(name, server) for name, server in config.servers.items()),
        rest=tuple(RestRoute(base + entry.rest_prefix, server) for _, _, entry, server in placed),
        websockets=tuple(_websocket(base, entry, server) for _, _, entry, server in placed if entry.ws_path),
        queries=tuple(_query_routes(config, placed)),
        health_paths=tuple(base + entry.health_path for _, _, entry, _ in placed),
    )


def _upstream(name: str, server: ServerConfig) -> Upstream:
    endpoints = (Endpoint(server.host, server.port + index).reachable() for index in range(server.instances))
    return Upstream(name, tuple(endpoints))


_Placed = tuple[str, str, VersionEntry, str]


def _placed(config: DeploymentConfig, manifest: Manifest) -> Iterator[_Placed]:
    """Every version of every deployed module: (module, version, entry, server), core first."""
    homes = {CORE: _core_server(config)}
    homes |= {module: name for name, server in config.servers.items() for module in server.modules if module != CORE}
    for module, server in sorted(homes.items(), key=lambda home: (home[0] != CORE, home[0])):
        for version, entry in manifest.modules[module].versions.items():
            yield module, version, entry, server


def _core_server(config: DeploymentConfig) -> str:
    """N02: the server named core, or else the first."""
    return CORE if CORE in config.servers else next(iter(config.servers))


def _websocket(base: str, entry: VersionEntry, server: str) -> WebSocketRoute:
    return WebSocketRoute(f"{base}{entry.ws_path}", server)


def _query_routes(config: DeploymentConfig, placed: list[_Placed]) -> Iterator[QueryRoutes]:
    """N03: `/api/v1/ws?type=orders`, one table per version."""
    if config.websocket.routing_strategy != "query_param":
        return
    for version in sorted({version for _, version, _, _ in placed}):
        targets = tuple(_targets(config, placed, version))
        if targets:
            path = f"{config.api_base_url}/{version}/ws"
            yield QueryRoutes(version, path, config.websocket.query_param_name, targets)


def _targets(config: DeploymentConfig, placed: list[_Placed], version: str) -> Iterator[QueryTarget]:
    chosen = config.websocket_routes
    for module, of_version, entry, server in placed:
        if of_version != version or entry.ws_path is None:
            continue
        for route in entry.ws_routes:
            if chosen is None or route in chosen or module in chosen:
                yield QueryTarget(route, server, f"{config.api_base_url}{entry.ws_path}")
