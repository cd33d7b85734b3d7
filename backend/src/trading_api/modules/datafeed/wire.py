"""From what the datafeed knows to what it sends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, cast

from trading_api.models.market import (
    Bar,
    DatafeedConfiguration,
    ExchangeDescriptor,
    QuoteValues,
    SearchResult,
    SymbolInfo,
    SymbolType,
    SymbolTypeDescriptor,
)
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import History
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

_HUNDREDTH = Decimal("0.01")


def bars_json(history: History) -> bytes:
    """A BarsResponse as JSON; the bars are written already (`bar_text`)."""
    next_time = "" if history.next_time is None else f',"nextTime":{history.next_time}'
    no_data = "true" if history.no_data else "false"
    return b'{"bars":[%b],"no_data":%b}' % (history.bars.text, f"{no_data}{next_time}".encode("ascii"))


def live_bar(bar: ScaledBar) -> Bar:
    """A bar as an update of a stream. Its numbers are good already, so they are not checked again."""
    price, volume = -bar.price_scale, -bar.volume_scale
    return Bar.model_construct(
        time=bar.time,
        open=Decimal(bar.open).scaleb(price),
        high=Decimal(bar.high).scaleb(price),
        low=Decimal(bar.low).scaleb(price),
        close=Decimal(bar.close).scaleb(price),
        volume=Decimal(bar.volume).scaleb(volume),
    )


def quote_values(instrument: Instrument, quote: Quote) -> QuoteValues:
    """A quote as clients see it."""
    change, scale = quote.last - quote.previous_close, -quote.price_scale
    # What is left unset is not sent.
    age: dict[str, Any] = {"time": quote.time} if quote.pushed else {}
    return QuoteValues.model_construct(
        lp=Decimal(quote.last).scaleb(scale),
        ask=Decimal(quote.ask).scaleb(scale),
        bid=Decimal(quote.bid).scaleb(scale),
        # One side alone has none.
        spread=Decimal(quote.ask - quote.bid if quote.bid and quote.ask else 0).scaleb(scale),
        open_price=Decimal(quote.open).scaleb(scale),
        high_price=Decimal(quote.high).scaleb(scale),
        low_price=Decimal(quote.low).scaleb(scale),
        prev_close_price=Decimal(quote.previous_close).scaleb(scale),
        volume=Decimal(quote.volume).scaleb(-quote.volume_scale),
        ch=Decimal(change).scaleb(scale),
        chp=(Decimal(100 * change) / (quote.previous_close or 1)).quantize(_HUNDREDTH),
        short_name=instrument.name,
        exchange=instrument.exchange,
        description=instrument.description,
        original_name=f"{instrument.exchange}:{instrument.name}" if instrument.exchange else instrument.name,
        **age,
    )


def symbol_info(instrument: Instrument, offered: Sequence[Resolution], *, streams: bool) -> SymbolInfo:
    """Tells only of what can be served: a symbol without bars supports no resolution. `streams`: bars do."""
    return SymbolInfo(
        name=instrument.name,
        ticker=instrument.name,
        description=instrument.description,
        type=_symbol_type(instrument),
        session=instrument.session,
        timezone=instrument.timezone,
        exchange=instrument.exchange,
        listed_exchange=instrument.exchange,
        pricescale=instrument.pricescale,
        minmov=instrument.minmov,
        has_intraday=any(resolution.minutes for resolution in offered),
        has_daily=Resolution.DAY in offered,
        has_weekly_and_monthly=Resolution.WEEK in offered or Resolution.MONTH in offered,
        supported_resolutions=list(offered),
        volume_precision=instrument.volume_precision,
        data_status="streaming" if streams else "endofday",
    )


def search_result(instrument: Instrument) -> SearchResult:
    return SearchResult(
        symbol=instrument.name,
        description=instrument.description,
        exchange=instrument.exchange,
        ticker=instrument.name,
        type=_symbol_type(instrument),
    )


def configuration(instruments: Iterable[Instrument]) -> DatafeedConfiguration:
    """What the datafeed offers, with the exchanges and types that there are."""
    known = list(instruments)
    exchanges = sorted({instrument.exchange for instrument in known} - {""})
    types = sorted({instrument.type for instrument in known})
    return DatafeedConfiguration(
        supported_resolutions=list(Resolution),
        exchanges=[
            ExchangeDescriptor(value="", name="All", desc="All exchanges"),
            *(ExchangeDescriptor(value=name, name=name, desc=name) for name in exchanges),
        ],
        symbols_types=[
            SymbolTypeDescriptor(name="All", value=""),
            *(SymbolTypeDescriptor(name=name.capitalize(), value=name) for name in types),
        ],
        supports_search=True,
        supports_group_request=False,
        supports_marks=False,
        supports_timescale_marks=False,
        supports_time=False,
    )


def _symbol_type(instrument: Instrument) -> SymbolType:
    # Both ways into the datafeed (catalogue and import) admit these types only; the model checks it again.
    return cast("SymbolType", instrument.type)
