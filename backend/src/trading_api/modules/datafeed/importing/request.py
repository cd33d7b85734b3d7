"""What a user asks to be imported, and which instrument that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from trading_api.modules.datafeed.bar_time import BarClock
from trading_api.modules.datafeed.calendars import calendar
from trading_api.modules.datafeed.instruments.directory import InstrumentDirectory
from trading_api.modules.datafeed.instruments.instrument import Instrument, SymbolRef, check_name
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.session import ALWAYS_OPEN, parse_session

DEFAULT_ZONE = "Etc/UTC"
DEFAULT_TYPE = "stock"
EXCHANGE_CALENDARS = {
    "NASDAQ": "XNYS",
    "NYSE": "XNYS",
    "AMEX": "XNYS",
    "ARCA": "XNYS",
    "CBOE": "XNYS",
    "CME": "CMES",
    "CBOT": "CMES",
    "NYMEX": "CMES",
    "COMEX": "CMES",
    "TSX": "XTSE",
    "LSE": "XLON",
    "XETR": "XETR",
    "FWB": "XFRA",
    "EURONEXT": "XPAR",
    "SIX": "XSWX",
    "TSE": "XTKS",
    "HKEX": "XHKG",
    "ASX": "XASX",
    "FX": "24/5",
}
"""The holidays that a new symbol of an exchange gets (codes of exchange_calendars)."""


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """The arguments of one import; None is not given.

    `exchange`, `type`, `session` and `calendar` describe a symbol that is new; for a known one they may only repeat
    what is known.
    """

    path: Path
    symbol: SymbolRef
    resolution: Resolution
    zone: ZoneInfo | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    type: str | None = None
    session: str | None = None
    calendar: str | None = None
    replace: bool = False
    dry_run: bool = False

    def clock(self, instrument: Instrument, zone: ZoneInfo | None) -> BarClock:
        """How the times of the file are to be read; `zone` is that of times without an offset (None: UTC)."""
        return BarClock(
            resolution=self.resolution,
            zone=zone or ZoneInfo(DEFAULT_ZONE),
            session=parse_session(instrument.session),
            session_zone=ZoneInfo(instrument.timezone),
        )


def known_instrument(request: ImportRequest, directory: InstrumentDirectory) -> Instrument | None:
    """The instrument that the symbol already names.

    Raises ValueError when the request says otherwise of it, or gives a new one an impossible name; and StoreError.
    """
    known = directory.find(request.symbol.name)
    if known is None:
        check_name(request.symbol)
        return None
    said = {
        "exchange": request.symbol.exchange,
        "type": request.type,
        "session": request.session,
        "calendar": request.calendar,
    }
    for name, value in said.items():
        if value is not None and value != getattr(known, name):
            raise ValueError(
                f"{known.name} is known with {name} {getattr(known, name)!r}, not {value!r};"
                " 'instruments import --replace' changes it"
            )
    return known


def new_instrument(request: ImportRequest) -> Instrument:
    """An instrument for a symbol that nobody knows yet, its precision still to be inferred from the bars."""
    session = request.session or ALWAYS_OPEN
    code = request.calendar if request.calendar is not None else _calendar_of(request.symbol.exchange, session)
    zone = request.zone.key if request.zone else _zone_of(code)
    return Instrument(
        name=request.symbol.name,
        exchange=request.symbol.exchange or "",
        type=request.type or DEFAULT_TYPE,
        description=request.symbol.name,
        session=session,
        timezone=zone,
        pricescale=1,
        minmov=1,
        volume_precision=0,
        calendar=code,
    )


def _calendar_of(exchange: str | None, session: str) -> str:
    """A symbol that trades day and night has no holidays, wherever it is listed."""
    return "" if session == ALWAYS_OPEN else EXCHANGE_CALENDARS.get(exchange or "", "")


def _zone_of(code: str) -> str:
    """The session is in the time of the exchange, whatever the times of the file are in."""
    return calendar(code).zone.key if code else DEFAULT_ZONE


def with_precision(instrument: Instrument, *, price_scale: int, volume_scale: int) -> Instrument:
    """The instrument, made fine enough for so many decimals of price and volume."""
    return replace(
        instrument,
        pricescale=max(instrument.pricescale, 10**price_scale),
        volume_precision=max(instrument.volume_precision, volume_scale),
    )
