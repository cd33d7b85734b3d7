"""The one settings class: read from the environment once, then passed down."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from trading_api.broker_settings import BrokerSettings, read_broker_settings
from trading_api.feed_settings import FeedSettings, read_feed_settings
from trading_api.user_settings import UserSettings, read_origins, read_user_settings
from trading_api.variables import hint

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
# `core` holds what every deployment offers (C05), so it is served whatever else is chosen.
CORE_MODULE = "core"
KnownModules = Mapping[str, tuple[str, ...]]


class SettingsError(Exception):
    """The environment holds values this program cannot use; `problems` lists every one of them."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class ModuleChoice:
    """One entry of ENABLED_MODULES: a module, and one version of it or (None) all of them."""

    name: str
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server process is told by its environment. Modules get this value and never read the environment.

    `enabled_modules` empty means every module. `base_url` is the path before `/{version}/{module}`, without a
    trailing slash. `body_limit` is the most bytes of a request body that are taken. `store_url` may hold a password,
    hence it stays out of the repr. `development`: the source is being edited, so generated files are brought up to
    date at start-up instead of being refused; watch mode sets it, no environment variable does. `deployed_modules` are
    those of the whole deployment, which the merged documents cover; empty: this process is all of it. `quotes_url`: the
    WebSocket URLs, separated by commas, of whoever gives quotes to this process; empty: itself, if it does. `own_url`
    is where this process listens, as in http://127.0.0.1:8000; the server sets it, no environment variable does.
    `bus_url` is a NATS server's (empty: the bus is in memory, of this process alone), `bus_token_file` the file that
    holds its token. `debug_routes`: serve what is for development only.
    `allowed_origins`: those of pages elsewhere that may call this API, as in https://app.example.com.
    """

    enabled_modules: tuple[ModuleChoice, ...] = ()
    base_url: str = "/api"
    store_url: str = field(default="sqlite:///.local/data/trading.db", repr=False)
    log_level: str = "info"
    body_limit: int = 1024 * 1024
    development: bool = False
    deployed_modules: tuple[str, ...] = ()
    quotes_url: str = ""
    own_url: str = ""
    bus_url: str = field(default="", repr=False)
    bus_token_file: str = ""
    debug_routes: bool = False
    feed: FeedSettings = field(default_factory=FeedSettings)
    broker: BrokerSettings = field(default_factory=BrokerSettings)
    users: UserSettings = field(default_factory=UserSettings)
    allowed_origins: tuple[str, ...] = ()


def read_settings(environ: Mapping[str, str], known: KnownModules) -> Settings:
    """The settings that `environ` asks for; `known` names the modules of this installation and their versions.

    Raises SettingsError naming every problem at once.
    """
    default = Settings()
    feed, feed_problems = read_feed_settings(environ)
    broker, broker_problems = read_broker_settings(environ)
    users, user_problems = read_user_settings(environ)
    origins, origin_problems = read_origins(environ)
    settings = Settings(
        enabled_modules=tuple(_parse_choices(environ.get("ENABLED_MODULES", ""))),
        base_url=(environ.get("TRADING_API_BASE_URL") or default.base_url).rstrip("/"),
        store_url=environ.get("TRADING_STORE_URL") or default.store_url,
        log_level=(environ.get("TRADING_LOG_LEVEL") or default.log_level).lower(),
        body_limit=_bytes(environ.get("TRADING_BODY_LIMIT") or str(default.body_limit)),
        deployed_modules=tuple(_parse_list(environ.get("TRADING_DEPLOYED_MODULES", ""))),
        quotes_url=environ.get("TRADING_QUOTES_URL", "").strip(),
        bus_url=environ.get("TRADING_BUS_URL", "").strip(),
        bus_token_file=environ.get("TRADING_BUS_TOKEN_FILE", ""),
        debug_routes=environ.get("TRADING_DEBUG_ROUTES", "") == "1",
        feed=feed,
        broker=broker,
        users=users,
        allowed_origins=origins,
    )
    problems = (
        *feed_problems,
        *broker_problems,
        *user_problems,
        *origin_problems,
        *_choice_problems(settings.enabled_modules, known),
        *_deployed_problems(settings.deployed_modules, known),
        *_value_problems(settings),
    )
    if problems:
        raise SettingsError(problems)
    return settings


def _bytes(text: str) -> int:
    """A number of bytes; 0 for what is none, which `_value_problems` then names."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 12 else 0


def _parse_list(text: str) -> Iterator[str]:
    return filter(None, (part.strip() for part in text.split(",")))


def _parse_choices(text: str) -> Iterator[ModuleChoice]:
    for entry in _parse_list(text):
        name, colon, version = entry.partition(":")
        yield ModuleChoice(name.strip(), version.strip() if colon else None)


def _choice_problems(choices: tuple[ModuleChoice, ...], known: KnownModules) -> Iterator[str]:
    for choice in choices:
        if choice.name not in known:
            yield f"ENABLED_MODULES: unknown module {choice.name!r}; {hint(choice.name, tuple(known))}"
        elif choice.version is not None and choice.version not in known[choice.name]:
            wrong = f"{choice.name}:{choice.version}"
            yield f"ENABLED_MODULES: unknown version {wrong!r}; {hint(choice.version, known[choice.name])}"


def _deployed_problems(names: tuple[str, ...], known: KnownModules) -> Iterator[str]:
    for name in names:
        if name not in known:
            yield f"TRADING_DEPLOYED_MODULES: unknown module {name!r}; {hint(name, tuple(known))}"


def _value_problems(settings: Settings) -> Iterator[str]:
    if not re.fullmatch(r"(/[A-Za-z0-9._~-]+)*", settings.base_url):
        yield (
            f"TRADING_API_BASE_URL: {settings.base_url!r} is not a URL path; "
            "start it with a slash and use letters, digits and . _ ~ - only, as in /api"
        )
    if "://" not in settings.store_url:
        # The value itself may be a secret, so it is not repeated.
        yield "TRADING_STORE_URL: not a URL; write it as sqlite:///path/to/file.db"
    if settings.bus_url and not settings.bus_url.startswith(("nats://", "tls://")):
        yield "TRADING_BUS_URL: not a NATS URL; write it as nats://127.0.0.1:4222"
    if settings.body_limit < 1:
        yield "TRADING_BODY_LIMIT: not a number of bytes; write digits only, as in 1048576"
    if not all(url.startswith(("ws://", "wss://")) for url in _parse_list(settings.quotes_url)):
        # Not repeated either, for the same reason.
        yield "TRADING_QUOTES_URL: not a WebSocket URL; write it as ws://127.0.0.1:8002/api/v1/datafeed/ws"
    if settings.log_level not in LOG_LEVELS:
        yield f"TRADING_LOG_LEVEL: unknown level {settings.log_level!r}; {hint(settings.log_level, LOG_LEVELS)}"
