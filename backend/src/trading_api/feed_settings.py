"""Where quotes come from: the part of the settings that is about the feed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation

from trading_api.variables import VariableReader, hint

FEED_KINDS = ("simulated", "replay", "manual")
MAX_SPEED = 100_000
MAX_SYMBOLS = 1000
MIN_YEAR, MAX_YEAR = 1801, 2199


@dataclass(frozen=True, slots=True)
class FeedSettings:
    """`kind` is one of FEED_KINDS; `seed` shapes simulated prices.

    A replay covers `symbols` (empty: all that are stored), begins at `start` (an instant; None: with the oldest stored
    bar) and runs `speed` times as fast as the clock.
    """

    kind: str = "simulated"
    seed: int = 1
    symbols: tuple[str, ...] = ()
    start: datetime | None = None
    speed: Decimal = Decimal(1)


def read_feed_settings(environ: Mapping[str, str]) -> tuple[FeedSettings, tuple[str, ...]]:
    """The feed that `environ` asks for, with what is wrong with it; the default stands for what cannot be read."""
    default, variables = FeedSettings(), VariableReader(environ)
    settings = FeedSettings(
        kind=variables.read("TRADING_FEED_KIND", _kind, default.kind),
        seed=variables.read("TRADING_FEED_SEED", _seed, default.seed),
        symbols=variables.read("TRADING_FEED_SYMBOLS", _symbols, default.symbols),
        start=variables.read("TRADING_FEED_START", _instant, default.start),
        speed=variables.read("TRADING_FEED_SPEED", _speed, default.speed),
    )
    return settings, tuple(variables.problems)


def _kind(text: str) -> str:
    if text not in FEED_KINDS:
        raise ValueError(f"unknown kind {text!r}; {hint(text, FEED_KINDS)}")
    return text


def _seed(text: str) -> int:
    if not re.fullmatch(r"-?[0-9]{1,18}", text):
        raise ValueError(f"{text!r} is not a whole number of at most 18 digits")
    return int(text)


def _symbols(text: str) -> tuple[str, ...]:
    symbols = tuple(part.strip().upper() for part in text.split(",") if part.strip())
    if len(symbols) > MAX_SYMBOLS:
        raise ValueError(f"{len(symbols)} symbols; at most {MAX_SYMBOLS}")
    return symbols


def _instant(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time in ISO 8601, such as 2024-01-02T14:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset from UTC; write it as 2024-01-02T14:30:00Z")
    if not MIN_YEAR <= moment.year <= MAX_YEAR:
        raise ValueError(f"{text!r} is in the year {moment.year}; use one from {MIN_YEAR} to {MAX_YEAR}")
    return moment


def _speed(text: str) -> Decimal:
    try:
        speed = Decimal(text)
    except InvalidOperation:
        speed = Decimal(0)
    if not speed.is_finite() or not 0 < speed <= MAX_SPEED:
        raise ValueError(f"{text!r} is not a number above 0, at most {MAX_SPEED}")
    return speed
