"""From a checked configuration to a plan: pure, the same input gives the same plan, and nothing is read or written."""

from collections.abc import Iterator
from pathlib import Path

from deploy.bus import BUS_HOST, is_on_bus, runs_own_bus
from deploy.layout import Layout
from deploy.manifest import Manifest, VersionEntry
from deploy.plan import (
    BUS,
    CORE,
    GATEWAY,
    LOGS,
    DocumentRoutes,
    Endpoint,
    Gateway,
    Plan,
    Process,
    QueryRoutes,
    QueryTarget,
    RestRoute,
    Site,
    Tier,
    Upstream,
    WebSocketRoute,
)
from deploy.schema import BrokerConfig, DeploymentConfig, FeedConfig, NginxConfig, ServerConfig, UsersConfig

# The trait of a module that needs quotes, and the WebSocket route that gives them.
_USES_QUOTES, _QUOTES = "uses-quotes", "quotes"
# The traits of a module that keeps its data in the store, and of one that makes what it serves from the feed.
_USES_STORE, _MAKES_FEED = "uses-store", "makes-feed"
# The trait of a module whose data belongs to users, who have accounts.
_NEEDS_USER = "needs-user"
# What only some servers are told. A server that has no use for one has it empty, hence does not restart with it.
_BUS_VARIABLES = ("TRADING_BUS_TOKEN_FILE", "TRADING_BUS_URL")
_STORE_VARIABLES = ("TRADING_STORE_URL",)
_FEED_VARIABLES = (
    "TRADING_FEED_KIND",
    "TRADING_FEED_SEED",
    "TRADING_FEED_SPEED",
    "TRADING_FEED_START",
    "TRADING_FEED_SYMBOLS",
)
_USER_VARIABLES = (
    "TRADING_USERS_ALGORITHM",
    "TRADING_USERS_AUDIENCE",
    "TRADING_USERS_ISSUER",
    "TRADING_USERS_KEY_ENV",
    "TRADING_USERS_KEY_FILE",
    "TRADING_USERS_MODE",
)
_ACCOUNT_VARIABLES = (
    "TRADING_BROKER_BALANCE",
    "TRADING_BROKER_COMMISSION_PER_SHARE",
    "TRADING_BROKER_COMMISSION_RATE",
    "TRADING_BROKER_CURRENCY",
    "TRADING_BROKER_STALE_QUOTE",
)
_VARIABLES_OF = {
    _MAKES_FEED: _FEED_VARIABLES,
    _USES_STORE: _STORE_VARIABLES,
    _NEEDS_USER: (*_USER_VARIABLES, *_ACCOUNT_VARIABLES),
}


def plan(config: DeploymentConfig, manifest: Manifest, site: Site) -> Plan:
    """Expand a checked configuration."""
    gateway = _gateway(config, manifest)
    servers = [process for name in config.servers for process in _instances(name, config, manifest, site)]
    first = [*_log_follower(config, site), *_bus(config, manifest, site)]
    processes = [*first, *sorted(servers, key=lambda process: process.tier)]
    return Plan(
        layout=site.layout,
        processes=(*processes, _nginx(config, site)),
        gateway=gateway,
        logs=config.logs,
        start_deadline=config.health.start_deadline,
        health_interval=config.health.interval,
        health_timeout=config.health.timeout,
        health_failures=config.health.failures,
        grace=config.shutdown.grace,
        root_user=site.root_user,
        modules=_deployed(config),
        store_url=config.store.url,
        key_variable=_key_variable(config, manifest),
    )


def serve_argv(python: Path, endpoint: Endpoint, *, grace: float, reload: bool) -> tuple[str, ...]:
    """The command of one server process; its settings are in the environment."""
    # -P keeps whatever stands in the working folder off the import path.
    argv = [str(python), "-P", "-m", "trading_api", "serve", "--host", endpoint.host, "--port", str(endpoint.port)]
    return (*argv, "--grace", f"{grace:g}", *(["--reload"] if reload else []))


def serve_environment(config: DeploymentConfig, modules: tuple[str, ...]) -> dict[str, str]:
    """Every setting of a process that serves `modules` (`trading_api.settings`); its bus is the one configured by URL.

    Every one is set, if only to nothing: the shell that started the tree has no say in them.
    """
    return {
        "ENABLED_MODULES": ",".join(modules),
        "TRADING_ALLOWED_ORIGINS": ",".join(config.allowed_origins),
        "TRADING_API_BASE_URL": config.api_base_url,
        "TRADING_BODY_LIMIT": str(config.limits.body),
        "TRADING_BUS_TOKEN_FILE": config.bus.token_file or "",
        "TRADING_BUS_URL": config.bus.url or "",
        "TRADING_DEBUG_ROUTES": "1" if config.debug_routes else "0",
        **_broker_environment(config.broker),
        **_feed_environment(config.feed),
        **_users_environment(config.users),
        "TRADING_LOG_LEVEL": config.logs.level,
        "TRADING_STORE_URL": config.store.url,
    }


def _users_environment(users: UsersConfig) -> dict[str, str]:
    """Never the key itself: its file's name, or that of the variable that a server inherits from the tree's start."""
    if users.mode == "none":
        return dict.fromkeys(_USER_VARIABLES, "")
    return {
        "TRADING_USERS_ALGORITHM": users.algorithm,
        "TRADING_USERS_AUDIENCE": users.audience or "",
        "TRADING_USERS_ISSUER": users.issuer or "",
        "TRADING_USERS_KEY_ENV": users.key_env or "",
        "TRADING_USERS_KEY_FILE": users.key_file or "",
        "TRADING_USERS_MODE": users.mode,
    }


def _key_variable(config: DeploymentConfig, manifest: Manifest) -> str | None:
    """`users.key_env`, where some server whose modules need users has the variable from nowhere else."""
    name = config.users.key_env if config.users.mode != "none" else None
    servers = (server for server in config.servers.values() if _NEEDS_USER in _traits(server, manifest))
    return name if any(name not in server.env for server in servers) else None


def _traits(server: ServerConfig, manifest: Manifest) -> set[str]:
    return {trait for module in server.modules for trait in manifest.modules[module].traits}


def _broker_environment(broker: BrokerConfig) -> dict[str, str]:
    return {
        "TRADING_BROKER_BALANCE": f"{broker.balance:.15g}",
        "TRADING_BROKER_COMMISSION_PER_SHARE": f"{broker.commission_per_share:.15g}",
        "TRADING_BROKER_COMMISSION_RATE": f"{broker.commission_rate:.15g}",
        "TRADING_BROKER_CURRENCY": broker.currency,
        "TRADING_BROKER_STALE_QUOTE": f"{broker.stale_quote:.15g}",
    }


def _feed_environment(feed: FeedConfig) -> dict[str, str]:
    return {
        "TRADING_FEED_KIND": feed.kind,
        "TRADING_FEED_SEED": str(feed.seed),
        "TRADING_FEED_SPEED": f"{feed.replay.speed:.15g}",
        "TRADING_FEED_START": feed.replay.start or "",
        "TRADING_FEED_SYMBOLS": ",".join(feed.replay.symbols),
    }


def _bus_environment(name: str, config: DeploymentConfig, manifest: Manifest, layout: Layout) -> dict[str, str]:
    """How the servers that use the bus reach the tree's own, and that the others reach none."""
    if not is_on_bus(config.servers[name], config, manifest):
        return dict.fromkeys(_BUS_VARIABLES, "")
    if not runs_own_bus(config, manifest):
        return {}
    # Relative to the folder in which every process runs: a path may hold quotes that supervisord cannot carry.
    token = layout.bus_token.relative_to(layout.project)
    url = f"nats://{Endpoint(BUS_HOST, config.bus.port).address}"
    return {"TRADING_BUS_URL": url, "TRADING_BUS_TOKEN_FILE": str(token)}


def _unused_environment(name: str, config: DeploymentConfig, manifest: Manifest) -> dict[str, str]:
    """That a server without data of its own has neither store nor feed, and one without accounts no users."""
    traits = _traits(config.servers[name], manifest)
    return {variable: "" for trait, variables in _VARIABLES_OF.items() if trait not in traits for variable in variables}


def _deployed(config: DeploymentConfig) -> tuple[str, ...]:
    return tuple(sorted({CORE, *(module for server in config.servers.values() for module in server.modules)}))


def _documents_environment(name: str, config: DeploymentConfig) -> dict[str, str]:
    """A05: the server that core's traffic goes to tells of every module; the others of their own."""
    return {"TRADING_DEPLOYED_MODULES": ",".join(_deployed(config))} if name == _core_server(config) else {}


def _quotes_environment(name: str, config: DeploymentConfig, manifest: Manifest) -> dict[str, str]:
    """Where the modules of a server that use quotes find the module that gives them, if that is in another server."""
    uses = any(_USES_QUOTES in manifest.modules[module].traits for module in config.servers[name].modules)
    urls = [url for home in config.servers if uses and home != name for url in _quotes_urls(home, config, manifest)]
    return {"TRADING_QUOTES_URL": ",".join(urls)} if urls else {}


def _quotes_urls(name: str, config: DeploymentConfig, manifest: Manifest) -> Iterator[str]:
    server = config.servers[name]
    versions = (entry for module in server.modules for entry in manifest.modules[module].versions.values())
    path = next((entry.ws_path for entry in versions if _QUOTES in entry.ws_routes), None)
    if path is not None:
        for endpoint in _endpoints(server):
            yield f"ws://{endpoint.address}{config.api_base_url}{path}"


def _with_core(server: ServerConfig) -> tuple[str, ...]:
    """C05: core is in every server, listed or not."""
    return (CORE, *(module for module in server.modules if module != CORE))


def _health_path(config: DeploymentConfig, manifest: Manifest, module: str) -> str:
    """Every version of a module tells of the same service."""
    first_version = next(iter(manifest.modules[module].versions.values()))
    return config.api_base_url + first_version.health_path


def _instances(name: str, config: DeploymentConfig, manifest: Manifest, site: Site) -> Iterator[Process]:
    server = config.servers[name]
    modules = _with_core(server)
    env = {
        **serve_environment(config, modules),
        **_bus_environment(name, config, manifest, site.layout),
        **_unused_environment(name, config, manifest),
        **_documents_environment(name, config),
        **_quotes_environment(name, config, manifest),
        **server.env,
    }
    paths = tuple(_health_path(config, manifest, module) for module in modules)
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
            # Core's, which answers as soon as the server does.
            health_path=paths[0],
            health_paths=paths,
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


def _bus(config: DeploymentConfig, manifest: Manifest, site: Site) -> Iterator[Process]:
    """The nats-server of the tree's own, when more than one process needs it."""
    if runs_own_bus(config, manifest):
        argv = (str(site.nats), "-c", str(site.layout.nats_conf))
        endpoint = Endpoint(BUS_HOST, config.bus.port)
        yield Process(name=BUS, group=BUS, tier=Tier.BUS, argv=argv, endpoint=endpoint, grace=config.shutdown.grace)


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
        rest=tuple(_rest(base, entry, server) for _, _, entry, server in placed),
        websockets=tuple(_websocket(base, entry, server) for _, _, entry, server in placed if entry.ws_path),
        queries=tuple(_query_routes(config, placed)),
        documents=tuple(_document_routes(config, placed)),
        health_paths=tuple(base + entry.health_path for _, _, entry, _ in placed),
    )


def _rest(base: str, entry: VersionEntry, server: str) -> RestRoute:
    return RestRoute(base + entry.rest_prefix, server, tuple(base + path for path in entry.safe_posts))


def _upstream(name: str, server: ServerConfig) -> Upstream:
    return Upstream(name, tuple(_endpoints(server)))


def _endpoints(server: ServerConfig) -> Iterator[Endpoint]:
    """Where each of its instances is reached."""
    return (Endpoint(server.host, server.port + index).reachable() for index in range(server.instances))


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


def _document_routes(config: DeploymentConfig, placed: list[_Placed]) -> Iterator[DocumentRoutes]:
    """A05: one set of documents for every version that some module has."""
    for version in sorted({version for _, version, _, _ in placed}):
        base = f"{config.api_base_url}/{version}"
        paths = (f"{base}/openapi.json", f"{base}/docs", f"{base}/ws/asyncapi.json", f"{base}/ws/docs")
        yield DocumentRoutes(paths, (f"{base}/docs/",), _core_server(config))


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
