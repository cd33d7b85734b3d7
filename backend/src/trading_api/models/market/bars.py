"""Bars on the wire: of history, and live."""

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.common import DecimalNumber


class Bar(BaseModel):
    """Prices and volume of one stretch of time."""

    model_config = ConfigDict(frozen=True)

    time: int = Field(
        description="Start, ms UTC; of a day, week or month bar 00:00 UTC of its trading date (week: its Monday).",
        examples=[1704153600000],
    )
    open: DecimalNumber = Field(description="First price, quote currency.", examples=[187.15])
    high: DecimalNumber = Field(description="Highest price.", examples=[188.44])
    low: DecimalNumber = Field(description="Lowest price.", examples=[183.89])
    close: DecimalNumber = Field(description="Last price.", examples=[185.64])
    volume: DecimalNumber = Field(
        description="Traded units, possibly fractional; 0 where unknown.", examples=[82488700]
    )


class BarsResponse(BaseModel):
    """The bars of a range, ascending by time."""

    model_config = ConfigDict(frozen=True)

    bars: list[Bar] = Field(description="Ascending by time; every number is exact, however many digits it has.")
    no_data: bool = Field(description="True only when `bars` is empty and there is nothing older either.")
    nextTime: int | None = Field(  # noqa: N815 - TradingView's spelling
        default=None,
        description="When `bars` is empty and older ones exist: the time of the newest of them, ms UTC, as `Bar.time`.",
        examples=[1704067200000],
    )


class BarsSubscription(BaseModel):
    """Whose bars to stream. The current bar comes at once, then again whenever it changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field(
        min_length=1, max_length=80, description="NAME or EXCHANGE:NAME, in any case.", examples=["AAPL"]
    )
    resolution: str = Field(
        min_length=1,
        max_length=8,
        description="1 3 5 15 30 60 120 240 1D 1W 1M, or D W M 1H 2H 4H.",
        examples=["1"],
    )
