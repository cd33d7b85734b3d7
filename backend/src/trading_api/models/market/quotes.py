"""Quotes on the wire: what a symbol trades at now (TradingView's QuoteData)."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from trading_api.models.common import DecimalNumber

MAX_SYMBOLS = 200

_Symbol = Annotated[str, Field(min_length=1, max_length=80)]


class QuotesRequest(BaseModel):
    """Whose quotes to get."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: list[_Symbol] = Field(
        min_length=1,
        max_length=MAX_SYMBOLS,
        description="NAME or EXCHANGE:NAME, in any case; the answers keep spelling and order.",
        examples=[["AAPL", "CRYPTO:BTCUSD"]],
    )


class QuotesSubscription(BaseModel):
    """Whose quotes to stream: 1 to 200 different symbols in all. The current quote of each comes at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbols: list[_Symbol] = Field(
        default=[],
        max_length=MAX_SYMBOLS,
        description="Told at most once a minute, when changed. NAME or EXCHANGE:NAME, in any case.",
        examples=[["MSFT"]],
    )
    fast_symbols: list[_Symbol] = Field(
        default=[],
        max_length=MAX_SYMBOLS,
        description="Told whenever they change; a symbol in both lists is fast.",
        examples=[["AAPL"]],
    )

    @model_validator(mode="after")
    def _some_symbol(self) -> Self:
        if not self.symbols and not self.fast_symbols:
            raise ValueError("give at least one symbol, in symbols or fast_symbols")
        if self.count_keys() > MAX_SYMBOLS:
            raise ValueError(f"give at most {MAX_SYMBOLS} symbols, in symbols and fast_symbols together")
        return self

    def count_keys(self) -> int:
        """How many different symbols: each counts against what one connection may stream."""
        return len({*self.symbols, *self.fast_symbols})


class QuoteValues(BaseModel):
    """What is known of a symbol's trading. Prices are in its quote currency, those of the day in its trading day."""

    model_config = ConfigDict(frozen=True)

    lp: DecimalNumber = Field(description="Last price.", examples=[187.15])
    ask: DecimalNumber = Field(description="Lowest price offered.", examples=[187.16])
    bid: DecimalNumber = Field(description="Highest price bid.", examples=[187.14])
    spread: DecimalNumber = Field(description="ask - bid.", examples=[0.02])
    open_price: DecimalNumber = Field(description="First price of the day.")
    high_price: DecimalNumber = Field(description="Highest price of the day.")
    low_price: DecimalNumber = Field(description="Lowest price of the day.")
    prev_close_price: DecimalNumber = Field(description="Last price of the trading day before.")
    volume: DecimalNumber = Field(description="Units traded in the day, possibly fractional.")
    ch: DecimalNumber = Field(description="lp - prev_close_price.", examples=[-0.35])
    chp: DecimalNumber = Field(description="ch in percent of prev_close_price, two decimals.", examples=[-0.19])
    short_name: str = Field(description="The symbol's name.", examples=["AAPL"])
    exchange: str = Field(description="Where it is traded; empty if unknown.", examples=["NASDAQ"])
    description: str = Field(examples=["Apple Inc."])
    original_name: str = Field(description="EXCHANGE:NAME, or the name where no exchange is known.")
    time: int | None = Field(
        default=None,
        description="When the quote was made, ms UTC, where it may be old: of feeds that others push. The quotes of "
        "other feeds are of now, and do without it.",
        examples=[1704153600000],
    )


class NoQuoteValues(BaseModel):
    """The empty object that an answer without a quote carries."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class QuoteData(BaseModel):
    """The quote of one symbol, or that there is none."""

    model_config = ConfigDict(frozen=True)
    conflate_key: ClassVar[str] = "/n"

    s: Literal["ok", "error"] = Field(description="error: the symbol is unknown, or has no quotes; `v` is empty.")
    n: str = Field(description="The symbol exactly as it was asked for.", examples=["AAPL"])
    v: QuoteValues | NoQuoteValues
