"""What the configuration says of the data plane, checked: URLs, symbols, origins. No message repeats a secret."""

import re
from datetime import datetime
from urllib.parse import SplitResult, urlsplit

_SQLITE, _POSTGRES = "sqlite:///", "postgresql://"
_STORE_USAGE = "write it as sqlite:///path/to/file.db or postgresql://user@host/database"
_BUS_USAGE = "write it as nats://host:4222 or tls://host:4222, several separated by commas"
_SYMBOL = re.compile(r"[A-Za-z0-9._:!/^=&-]{1,80}")
_MOST_BUS_URLS = 16
# RFC 6454: scheme, host and port; no path, and no pattern.
_ORIGIN = re.compile(r"https?://([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?")
_CURRENCY = re.compile(r"[A-Z]{3,5}")
_DECIMALS = 8


def store_url(value: str) -> str:
    """A URL that servers on this machine can share. Raises ValueError, which never repeats it."""
    if value.startswith(_SQLITE):
        _refuse_odd_file(value.removeprefix(_SQLITE))
        return value
    if value.startswith(_POSTGRES):
        if value.count("@") > 1:
            raise ValueError("holds more than one @: write those of a user or password as %40")
        if not _split(value, _STORE_USAGE).path.strip("/"):
            raise ValueError(f"names no database; {_STORE_USAGE}")
        return value
    raise ValueError(f"is no URL of a store; {_STORE_USAGE}")


def _refuse_odd_file(path: str) -> None:
    if path == ":memory:":
        raise ValueError("a store in memory is no store: every process would have its own; name a file")
    if not path or path.endswith("/") or "?" in path:
        raise ValueError(f"names no file; {_STORE_USAGE}, without parameters")


def bus_url(value: str) -> str:
    """URLs of an existing NATS cluster, separated by commas. Raises ValueError; one with a password is not repeated."""
    urls = value.split(",")
    if len(urls) > _MOST_BUS_URLS:
        raise ValueError(f"holds {len(urls)} URLs; {_MOST_BUS_URLS} servers of a cluster are enough to find the others")
    for url in urls:
        _refuse_odd_bus(url)
    return value


def _refuse_odd_bus(url: str) -> None:
    parts = _split(url, _BUS_USAGE)
    if "@" in url:
        raise ValueError("holds a user or password, which would show in logs; put the token in a file: bus.token_file")
    if parts.scheme not in ("nats", "tls") or not parts.hostname or parts.path or parts.query or parts.fragment:
        raise ValueError(f"is no URL of a NATS server; {_BUS_USAGE}")


def _split(url: str, usage: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(f"its host or port cannot be read; {usage}") from None
    return parts


def symbol(value: str) -> str:
    """The name of an instrument, perhaps EXCHANGE:NAME. Raises ValueError."""
    if not _SYMBOL.fullmatch(value):
        raise ValueError(f"{value[:90]!r} is no symbol; expected a name such as AAPL, or NASDAQ:AAPL")
    return value


def instant(value: str) -> str:
    """A time with its offset from UTC, in ISO 8601. Raises ValueError."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise ValueError(f"{value[:40]!r} is no time in ISO 8601, such as 2024-01-02T14:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{value!r} has no offset from UTC; write it as 2024-01-02T14:30:00Z")
    if not 1801 <= moment.year <= 2199:
        raise ValueError(f"{value!r} is in the year {moment.year}; use one from 1801 to 2199")
    return value


def origin(value: str) -> str:
    """The origin of a page. Raises ValueError."""
    match = _ORIGIN.fullmatch(value)
    if match is None or int(match[2] or 1) > 65535:
        raise ValueError(f"{value[:90]!r} is no origin; write it as https://app.example.com, without a path")
    return value


def currency(value: str) -> str:
    """The code of a currency. Raises ValueError."""
    if not _CURRENCY.fullmatch(value):
        raise ValueError(f"{value[:40]!r} is no currency; write its code, such as USD")
    return value


def amount(value: float) -> float:
    """A number as precise as prices are. Raises ValueError."""
    if round(value, _DECIMALS) != value:
        raise ValueError(f"{value:.15g} has more than {_DECIMALS} decimals")
    return value
