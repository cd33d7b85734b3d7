"""What the datafeed knows about a tradable symbol."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

MAX_NAME = 32
NAME_PATTERN = re.compile(rf"[A-Z0-9][A-Z0-9._!&^=-]{{0,{MAX_NAME - 1}}}", re.ASCII)
EXCHANGE_PATTERN = re.compile(rf"[A-Z0-9._-]{{0,{MAX_NAME}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Instrument:
    """A symbol and its conventions.

    `name` is unique and in capitals. The smallest price step is `minmov / pricescale`; quantities have
    `volume_precision` decimals. `session` and `timezone` are in TradingView's notation. `calendar` is an
    exchange_calendars code such as `XNYS`; empty: every weekday of the session, no holidays.
    """

    name: str
    exchange: str
    type: str
    description: str
    session: str
    timezone: str
    pricescale: int
    minmov: int
    volume_precision: int
    calendar: str = ""

    @property
    def tick(self) -> Decimal:
        """The smallest price step."""
        return Decimal(self.minmov) / Decimal(self.pricescale)

    @property
    def quantity_step(self) -> Decimal:
        """The smallest quantity step."""
        return Decimal(1).scaleb(-self.volume_precision)


@dataclass(frozen=True, slots=True)
class SymbolRef:
    """A symbol as a client writes it: `NAME` or `EXCHANGE:NAME`, in any case; `exchange` None is any."""

    name: str
    exchange: str | None

    @classmethod
    def parse(cls, text: str) -> SymbolRef:
        """Splits at the first colon and puts all in capitals; it does not check that such a symbol may exist."""
        exchange, colon, name = text.strip().upper().partition(":")
        return cls(name=name, exchange=exchange) if colon else cls(name=exchange, exchange=None)

    def matches(self, instrument: Instrument) -> bool:
        return self.name == instrument.name and self.exchange in {None, instrument.exchange}


def check_name(ref: SymbolRef) -> None:
    """Raises ValueError unless the name (and exchange) may be given to a new instrument."""
    if NAME_PATTERN.fullmatch(ref.name) is None:
        raise ValueError(f"symbol {ref.name!r} is not valid: use 1 to {MAX_NAME} letters, digits or . _ ! & ^ = -")
    if ref.exchange is not None and EXCHANGE_PATTERN.fullmatch(ref.exchange) is None:
        raise ValueError(f"exchange {ref.exchange!r} is not valid: use up to {MAX_NAME} letters, digits or . _ -")
