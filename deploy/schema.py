"""The configuration file as types: every key, its meaning, its default and its bounds (C01).

`docs/reference/config.md` is generated from these descriptions. Unknown keys are refused; types are strict, so that
`port: "8001"` is an error and not a guess.
"""

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from deploy import addresses
from deploy.units import parse_duration, parse_size

SERVER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
RESERVED_NAMES = frozenset({"nginx", "logs", "all", "bus"})
# What a server reads its settings from (`deploy.planner.serve_environment`), and the key to use instead.
TREE_VARIABLES = {
    "ENABLED_MODULES": "modules of the server",
    "TRADING_ALLOWED_ORIGINS": "allowed_origins",
    "TRADING_API_BASE_URL": "api_base_url",
    "TRADING_BODY_LIMIT": "limits.body",
    "TRADING_BROKER_BALANCE": "broker.balance",
    "TRADING_BROKER_COMMISSION_PER_SHARE": "broker.commission_per_share",
    "TRADING_BROKER_COMMISSION_RATE": "broker.commission_rate",
    "TRADING_BROKER_CURRENCY": "broker.currency",
    "TRADING_BROKER_STALE_QUOTE": "broker.stale_quote",
    "TRADING_BUS_TOKEN_FILE": "bus.token_file",
    "TRADING_BUS_URL": "bus.url",
    "TRADING_DEBUG_ROUTES": "debug_routes",
    "TRADING_FEED_KIND": "feed.kind",
    "TRADING_FEED_SEED": "feed.seed",
    "TRADING_FEED_SPEED": "feed.replay.speed",
    "TRADING_FEED_START": "feed.replay.start",
    "TRADING_FEED_SYMBOLS": "feed.replay.symbols",
    "TRADING_LOG_LEVEL": "logs.level",
    "TRADING_STORE_URL": "store.url",
    "TRADING_USERS_ALGORITHM": "users.algorithm",
    "TRADING_USERS_AUDIENCE": "users.audience",
    "TRADING_USERS_ISSUER": "users.issuer",
    "TRADING_USERS_KEY_ENV": "users.key_env",
    "TRADING_USERS_KEY_FILE": "users.key_file",
    "TRADING_USERS_MODE": "users.mode",
}
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_BASE_URL = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_VERSION_END = re.compile(r"/v\d+$")
_PARAM_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
_ROUTE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")


def _seconds(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("expected a duration such as 3s")
    return parse_duration(value) if isinstance(value, str) else float(value)


def _bytes(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise ValueError("expected a size such as 10MB")
    return parse_size(value) if isinstance(value, str) else value


def _base_url(value: str) -> str:
    if not _BASE_URL.fullmatch(value):
        raise ValueError("expected a path such as /api, without a trailing slash")
    if _VERSION_END.search(value):
        raise ValueError(
            "leave the version out: every route is {api_base_url}/{version}/{module}, such as /api/v1/broker"
        )
    return value


def _host(value: str) -> str:
    if value == "localhost":
        return "127.0.0.1"
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"{value!r} is neither an IP address nor localhost") from None


def _server_name(value: str) -> str:
    if not SERVER_NAME.fullmatch(value):
        raise ValueError("a server's name is a letter, then letters, digits, - or _, 32 characters at most")
    if value in RESERVED_NAMES:
        raise ValueError(f"the name {value!r} is reserved for the tree itself; choose another")
    return value


def _env_name(value: str) -> str:
    if not _ENV_NAME.fullmatch(value):
        raise ValueError("an environment variable's name is letters, digits and _, not starting with a digit")
    if value.startswith("SUPERVISOR_"):
        raise ValueError("names starting with SUPERVISOR_ are set by supervisord")
    if value in TREE_VARIABLES:
        raise ValueError(f"is set by the tree; use the key {TREE_VARIABLES[value]}")
    return value


def _env_value(value: str) -> str:
    # supervisor 4.3 strips quotes from both ends of a value and knows no escapes inside one.
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueError("supervisord cannot carry control characters or line breaks in an environment value")
    if ("'" in value and '"' in value) or value.strip("'\"") != value:
        raise ValueError("supervisord cannot carry a value that holds both kinds of quote, or starts or ends with one")
    return value


def _file_name(value: str) -> str:
    if not value or value.endswith("/"):
        raise ValueError("names no file")
    return value


def _worker_processes(value: object) -> object:
    if value == "auto" or (isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 64):
        return value
    raise ValueError("expected a number from 1 to 64, or auto")


def _param_name(value: str) -> str:
    if not _PARAM_NAME.fullmatch(value):
        raise ValueError("expected lower-case letters, digits and _, starting with a letter")
    return value


def _route_name(value: str) -> str:
    if not _ROUTE_NAME.fullmatch(value):
        raise ValueError("a route's name is a letter, then letters, digits, - or _")
    return value


Seconds = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str)]
Bytes = Annotated[int, BeforeValidator(_bytes, json_schema_input_type=str)]
Host = Annotated[str, AfterValidator(_host)]
ServerName = Annotated[str, AfterValidator(_server_name)]
EnvName = Annotated[str, AfterValidator(_env_name)]
EnvValue = Annotated[str, Field(max_length=8192), AfterValidator(_env_value)]
RouteName = Annotated[str, AfterValidator(_route_name)]
StoreUrl = Annotated[str, Field(max_length=2048), AfterValidator(addresses.store_url), AfterValidator(_env_value)]
BusUrl = Annotated[str, Field(max_length=2048), AfterValidator(addresses.bus_url), AfterValidator(_env_value)]
FileName = Annotated[str, Field(max_length=1024), AfterValidator(_file_name), AfterValidator(_env_value)]
Symbol = Annotated[str, AfterValidator(addresses.symbol)]
Instant = Annotated[str, AfterValidator(addresses.instant)]
Origin = Annotated[str, AfterValidator(addresses.origin)]
Currency = Annotated[str, AfterValidator(addresses.currency)]
Claim = Annotated[str, Field(min_length=1, max_length=512), AfterValidator(_env_value)]
Port = Annotated[int, Field(ge=1, le=65535)]
WorkerProcesses = Annotated[int | Literal["auto"], BeforeValidator(_worker_processes)]


class Section(BaseModel):
    """A mapping of the file: no unknown keys, no conversions, never changed after loading."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class NginxConfig(Section):
    """The gateway."""

    host: Host = Field(
        default="127.0.0.1", description="Address on which the gateway listens; 0.0.0.0 opens it to the network."
    )
    port: Port = Field(default=8000, description="Port of the gateway.")
    worker_processes: WorkerProcesses = Field(
        default=1, description="nginx worker processes: a number, or auto (one per core)."
    )
    worker_connections: int = Field(
        default=1024, ge=32, le=65535, description="Connections per worker, both sides counted."
    )


class ServerConfig(Section):
    """One server: one or more equal instances that serve the same modules."""

    port: Port = Field(description="Port of instance 0; instance i listens on port + i.")
    host: Host = Field(default="127.0.0.1", description="Address on which every instance listens.")
    instances: int = Field(default=1, ge=1, le=64, description="How many processes serve these modules.")
    modules: tuple[str, ...] = Field(
        default=(), max_length=64, strict=False, description="Modules to serve; core is always there. Empty: only core."
    )
    reload: bool = Field(default=False, description="Watch mode: serve an edit at once. For development.")
    env: dict[EnvName, EnvValue] = Field(
        default_factory=dict, max_length=256, description="More environment variables for these processes."
    )


class WebSocketConfig(Section):
    """How WebSocket connections find their module."""

    routing_strategy: Literal["path", "query_param"] = Field(
        default="path",
        description="path: /api/v1/{module}/ws. query_param: also /api/v1/ws?type=orders, to the owner of the route.",
    )
    query_param_name: Annotated[str, AfterValidator(_param_name)] = Field(
        default="type", description="Name of the query parameter that holds the route."
    )


class LogsConfig(Section):
    """Log files in .local/logs."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is written."
    )
    max_bytes: Bytes = Field(
        default=10 * 1024**2, ge=64 * 1024, le=1024**3, description="A log file is rotated at this size."
    )
    backups: int = Field(default=5, ge=1, le=100, description="Rotated files kept per log.")
    unified: bool = Field(default=True, description="Write every process's lines, merged, to backend-unified.log.")


class ShutdownConfig(Section):
    """How processes end."""

    grace: Seconds = Field(default=3.0, ge=1, le=600, description="Time from the stop signal to SIGKILL, per tier.")


class HealthConfig(Section):
    """When an instance counts as healthy, and when as hung."""

    interval: Seconds = Field(
        default=2.0, ge=0.1, le=600, description="How often supervisord asks each server, and the bus, for its health."
    )
    timeout: Seconds = Field(default=1.0, ge=0.05, le=60, description="How long one health answer may take.")
    failures: int = Field(
        default=5,
        ge=0,
        le=100,
        description="A process that leaves so many questions in a row unanswered is hung: it is ended and started "
        "again. 0: it is left alone, as under a debugger.",
    )
    start_deadline: Seconds = Field(
        default=60.0, ge=1, le=600, description="How long up waits for all servers to be healthy."
    )


class LimitsConfig(Section):
    """Bounds on what clients may send."""

    body: Bytes = Field(
        default=1024**2, ge=1024, le=1024**3, description="Largest request body; larger ones are answered 413."
    )


class StoreConfig(Section):
    """Where bars, accounts and all that must outlive a process are kept."""

    url: StoreUrl = Field(
        default="sqlite:///.local/data/trading.db",
        description="sqlite:///FILE (relative to this file's folder, or sqlite:////absolute) or "
        "postgresql://user@host/database.",
    )


class BusConfig(Section):
    """How the processes of a module that runs several times tell each other news."""

    kind: Literal["auto", "memory", "nats"] = Field(
        default="auto",
        description="auto: nats when a module that needs the bus runs in several processes, else memory. "
        "nats: a nats-server of the tree's own, or the one at bus.url.",
    )
    url: BusUrl | None = Field(
        default=None,
        description="An existing NATS cluster, such as nats://10.0.0.5:4222; the tree then runs no nats-server.",
    )
    token_file: FileName | None = Field(
        default=None,
        description="File, mode 0600, with the token of the cluster at bus.url; relative to this file's folder.",
    )
    port: Port = Field(default=4222, description="Port of the tree's own nats-server, on 127.0.0.1.")


class ReplayConfig(Section):
    """What kind: replay plays."""

    symbols: tuple[Symbol, ...] = Field(
        default=(), max_length=1000, strict=False, description="Symbols to replay. Empty: all that are stored."
    )
    speed: float = Field(
        default=1.0, ge=0.001, le=100_000, allow_inf_nan=False, description="How many times as fast as the clock."
    )
    start: Instant | None = Field(
        default=None,
        description="Where it begins, as in 2024-01-02T14:30:00Z. Left out: with the oldest stored bar.",
    )


class FeedConfig(Section):
    """Where quotes come from."""

    kind: Literal["simulated", "replay", "manual"] = Field(
        default="simulated",
        description="simulated: computed. replay: stored bars on a clock of their own. manual: POST /debug/quotes.",
    )
    seed: int = Field(default=1, ge=-(10**18) + 1, le=10**18 - 1, description="Shapes simulated prices.")
    replay: ReplayConfig = Field(default_factory=ReplayConfig, description="What kind: replay plays.")


class UsersConfig(Section):
    """Who may ask."""

    mode: Literal["none", "jwt"] = Field(
        default="none",
        description="none: whoever asks is the one user. jwt: a token says who asks, and each user has an own account.",
    )
    algorithm: Literal["RS256", "HS256"] = Field(
        default="RS256", description="What tokens are signed with; others are refused, whatever they say of themselves."
    )
    key_file: FileName | None = Field(
        default=None,
        description="The key that signatures are checked with, relative to this file's folder. RS256: a public key as "
        "PEM. HS256: a secret of at least 32 bytes in a file of mode 0600.",
    )
    key_env: EnvName | None = Field(
        default=None, description="Or the name of the environment variable that holds it, where the tree is started."
    )
    issuer: Claim | None = Field(default=None, description="What a token's `iss` must be. Left out: anything.")
    audience: Claim | None = Field(default=None, description="What a token's `aud` must name. Left out: anything.")


class BrokerConfig(Section):
    """The terms of every paper account."""

    balance: Annotated[float, AfterValidator(addresses.amount)] = Field(
        default=100_000.0, ge=0.01, le=10**12, allow_inf_nan=False, description="Cash of a new account."
    )
    currency: Currency = Field(default="USD", description="Currency of accounts.")
    commission_rate: Annotated[float, AfterValidator(addresses.amount)] = Field(
        default=0.0,
        ge=0,
        le=0.1,
        allow_inf_nan=False,
        description="Part of a fill's price times quantity: 0.001 is 0.1%.",
    )
    commission_per_share: Annotated[float, AfterValidator(addresses.amount)] = Field(
        default=0.0, ge=0, le=1000, allow_inf_nan=False, description="Besides, for each unit that is filled."
    )
    stale_quote: Seconds = Field(default=60.0, ge=0.1, le=86_400, description="An older quote fills no order.")


class DeploymentConfig(Section):
    """The whole file."""

    api_base_url: Annotated[str, AfterValidator(_base_url)] = Field(
        default="/api", max_length=128, description="Path before every route: {api_base_url}/{version}/{module}/…"
    )
    nginx: NginxConfig = Field(default_factory=NginxConfig, description="The gateway.")
    servers: dict[ServerName, ServerConfig] = Field(
        min_length=1, max_length=64, description="The servers by name; a name is also its supervisor group."
    )
    websocket: WebSocketConfig = Field(default_factory=WebSocketConfig, description="WebSocket routing.")
    websocket_routes: dict[RouteName, str] | None = Field(
        default=None, description="WebSocket route → server. Left out, the routes follow from the modules themselves."
    )
    logs: LogsConfig = Field(default_factory=LogsConfig, description="Log files.")
    shutdown: ShutdownConfig = Field(default_factory=ShutdownConfig, description="How processes end.")
    health: HealthConfig = Field(
        default_factory=HealthConfig, description="When an instance is healthy, and when hung."
    )
    limits: LimitsConfig = Field(default_factory=LimitsConfig, description="Bounds on what clients may send.")
    store: StoreConfig = Field(default_factory=StoreConfig, description="Where data is kept.")
    bus: BusConfig = Field(default_factory=BusConfig, description="How processes tell each other news.")
    feed: FeedConfig = Field(default_factory=FeedConfig, description="Where quotes come from.")
    users: UsersConfig = Field(default_factory=UsersConfig, description="Who may ask.")
    allowed_origins: tuple[Origin, ...] = Field(
        default=(),
        max_length=100,
        strict=False,
        description="Pages elsewhere that may use the API from a browser, such as https://app.example.com. Empty: only "
        "those of the gateway's own host (which with users.mode: none has to be localhost or an IP address), and with "
        "users.mode: none those of this machine.",
    )
    broker: BrokerConfig = Field(default_factory=BrokerConfig, description="The terms of every paper account.")
    debug_routes: bool = Field(
        default=False, description="Serve routes for development, such as POST /debug/quotes. Not for production."
    )
