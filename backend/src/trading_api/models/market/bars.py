"""Bars of history on the wire."""

from pydantic import BaseModel, ConfigDict, Field


class Bar(BaseModel):
    """Prices and volume of one stretch of time."""

    model_config = ConfigDict(frozen=True)

    time: int = Field(
        description="Start, ms UTC; of a day, week or month bar 00:00 UTC of its trading date (week: its Monday).",
        examples=[1704153600000],
    )
    open: float = Field(description="First price, quote currency.", examples=[187.15])
    high: float = Field(description="Highest price.", examples=[188.44])
    low: float = Field(description="Lowest price.", examples=[183.89])
    close: float = Field(description="Last price.", examples=[185.64])
    volume: float = Field(description="Traded units, possibly fractional; 0 where unknown.", examples=[82488700])


class BarsResponse(BaseModel):
    """The bars of a range, ascending by time."""

    model_config = ConfigDict(frozen=True)

    bars: list[Bar] = Field(description="Ascending by time; every number is sent with exactly its stored decimals.")
    no_data: bool = Field(description="True only when `bars` is empty and nothing older is stored either.")
    nextTime: int | None = Field(  # noqa: N815 - TradingView's spelling
        default=None,
        description="When `bars` is empty and older ones exist: the time of the newest of them, ms UTC, as `Bar.time`.",
        examples=[1704067200000],
    )
