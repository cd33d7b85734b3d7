"""Quotes that tests push into a feed of kind `manual`. For development: no part of the published contract."""

from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.common import DecimalNumber

MAX_PUSHED = 1000


class PushedQuote(BaseModel):
    """What a symbol trades at from now on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: str = Field(min_length=1, max_length=80, description="NAME or EXCHANGE:NAME, in any case.")
    bid: DecimalNumber = Field(ge=0, description="Highest price bid, on tick; 0: nobody bids.")
    ask: DecimalNumber = Field(ge=0, description="Lowest price offered, on tick; at least the bid; 0: nobody offers.")
    last: DecimalNumber | None = Field(
        default=None,
        ge=0,
        description="Last price, on tick; without it (or 0) the middle of bid and ask, rounded down. With one side "
        "only it stays, or is that side's where there was none.",
    )
    volume: DecimalNumber = Field(default=Decimal(0), ge=0, description="Units traded at that price.")
    time: int | None = Field(
        default=None,
        ge=-(10**15),
        le=10**15,
        description="Epoch in seconds, from 1e11 on in ms; not before the symbol's newest one. Without it: now.",
    )


class PushedQuotes(BaseModel):
    """What was stored."""

    model_config = ConfigDict(frozen=True)

    stored: int = Field(description="How many quotes.")
    seq: int = Field(description="The number of the newest one. It counts all that were ever pushed.")
