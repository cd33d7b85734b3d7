"""Positions on the wire (TradingView's Position and Brackets). Prices are in the symbol's quote currency."""

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.broker.account import AccountSubscription
from trading_api.models.broker.custom_fields import CustomFields
from trading_api.models.broker.enumerations import Side
from trading_api.models.broker.numbers import AnyNumber, StopTypeNumber
from trading_api.models.common import DecimalNumber


class Position(BaseModel):
    """What is held of one symbol: net, one per account and symbol."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The symbol's name.", examples=["AAPL"])
    symbol: str = Field(examples=["AAPL"])
    qty: DecimalNumber = Field(ge=0, description="Units held; 0 once, when it is closed.", examples=[10])
    side: Side = Field(description="1 long, -1 short.")
    avgPrice: DecimalNumber = Field(description="Weighted price of what is held.")  # noqa: N815


class Brackets(BaseModel):
    """Orders that protect a position; one that is absent is taken away."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stopLoss: AnyNumber | None = Field(default=None, description="Stop price.")  # noqa: N815
    takeProfit: AnyNumber | None = Field(default=None, description="Limit price.")  # noqa: N815
    guaranteedStop: AnyNumber | None = Field(default=None, description="Guaranteed stop price.")  # noqa: N815
    trailingStopPips: AnyNumber | None = Field(  # noqa: N815
        default=None, description="Distance of a trailing stop, in pips."
    )
    stopType: StopTypeNumber | None = Field(default=None, description="The kind of the stop.")  # noqa: N815


class EditBracketsRequest(BaseModel):
    """New brackets of a position."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    brackets: Brackets
    customFields: CustomFields | None = Field(  # noqa: N815
        default=None, description="The client's own, given back with the orders that the brackets are."
    )


class PositionSubscription(AccountSubscription):
    """Whose positions to follow."""
