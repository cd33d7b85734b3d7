"""What the datafeed says, read from its JSON: nothing of it is believed before it was looked at."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.market.hours import TradingHours

# A price, a tick or a time beyond is a mistake, and arithmetic with it would be slow or fail.
_LONGEST_NUMBER, _LARGEST_EXPONENT = 40, 24
_MAX_TIME: Final = 10**15
_MAX_SCALE: Final = 10**15
_MAX_PRECISION = 18


class ReadingError(ValueError):
    """This is not what a datafeed says."""


class UnusableStep(ReadingError):
    """No price of this symbol can be reckoned with; says why."""


@dataclass(frozen=True, slots=True)
class QuoteReading:
    """A quote as it came. `symbol` is spelt as it was asked for; `prices` are bid and ask, None where there are none.

    `time_ms` is when it was made, ms UTC, where the datafeed says so: of quotes that may be old.
    """

    symbol: str
    prices: tuple[Decimal, Decimal] | None
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class HoursReading:
    """The hours of a symbol, and the feed's clock (ms UTC) when they were told.

    `catalogue` names the instruments as they were then; empty where the datafeed does not say.
    """

    hours: TradingHours
    time_ms: int
    catalogue: str = ""


def parse(text: str | bytes) -> object:
    """JSON with its numbers exact: whole ones int, others Decimal. Raises ReadingError."""
    try:
        value: object = _DECODER.decode(text if isinstance(text, str) else text.decode())
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise ReadingError("no JSON") from error
    return value


def members(value: object) -> dict[str, object]:
    """An object's members. Raises ReadingError."""
    if not isinstance(value, dict):
        raise ReadingError("no object")
    return value


def read_instrument(value: object) -> TradedInstrument:
    """TradingView's SymbolInfo as far as trading needs it. Raises ReadingError."""
    fields = members(value)
    minmov, pricescale = (_whole(fields.get(name), 1, _MAX_SCALE) for name in ("minmov", "pricescale"))
    tick = Decimal(minmov) / Decimal(pricescale)
    if tick * pricescale != minmov:
        raise UnusableStep(f"The symbol's price step {minmov}/{pricescale} cannot be used: it is no decimal number.")
    step = Decimal(1).scaleb(-_whole(fields.get("volume_precision"), 0, _MAX_PRECISION))
    return TradedInstrument(symbol=_text(fields.get("name")), tick=tick, step=step)


def read_hours(value: object) -> HoursReading:
    """A TradingSession. Raises ReadingError."""
    fields = members(value)
    start, end, time = (_whole(fields.get(name), -_MAX_TIME, _MAX_TIME) for name in ("start", "end", "time"))
    if start >= end:
        raise ReadingError("a session that ends before it begins")
    catalogue = fields.get("catalogue")
    return HoursReading(TradingHours(start, end), time, catalogue if isinstance(catalogue, str) else "")


def read_quotes(value: object) -> list[QuoteReading]:
    """A list of TradingView's QuoteData. Raises ReadingError."""
    if not isinstance(value, list):
        raise ReadingError("no list")
    return [read_quote(each) for each in value]


def read_quote(value: object) -> QuoteReading:
    """TradingView's QuoteData. Prices that are none are no prices. Raises ReadingError when it is not known whose."""
    fields = members(value)
    symbol = _text(fields.get("n"))
    try:
        return _priced(symbol, members(fields.get("v"))) if fields.get("s") == "ok" else _unpriced(symbol)
    except ReadingError:
        return _unpriced(symbol)


def _priced(symbol: str, values: dict[str, object]) -> QuoteReading:
    bid, ask = _number(values.get("bid")), _number(values.get("ask"))
    # 0: nobody is on that side.
    if bid and ask and bid > ask:
        raise ReadingError("a crossed quote")
    time = values.get("time")
    return QuoteReading(symbol, (bid, ask), None if time is None else _whole(time, -_MAX_TIME, _MAX_TIME))


def _unpriced(symbol: str) -> QuoteReading:
    return QuoteReading(symbol, None, None)


def _text(value: object) -> str:
    # Names are written to the store, which refuses a NUL, or half of a surrogate pair, and all else of that commit.
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ReadingError("no text")
    return value


def _whole(value: object, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ReadingError("no whole number that may be")
    return value


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ReadingError("no number")
    if isinstance(value, int) and abs(value) > _MAX_TIME:
        raise ReadingError("no price")
    number = Decimal(value)
    if len(number.as_tuple().digits) > _LONGEST_NUMBER or (number and abs(number.adjusted()) > _LARGEST_EXPONENT):
        raise ReadingError("no price")
    return number


def _no_number(text: str) -> Decimal:
    raise ReadingError(text)


# One for all: json.loads would make one for every quote.
_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
