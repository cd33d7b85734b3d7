"""Orders on the wire (TradingView's PreOrder and PlacedOrder). Prices are in the symbol's quote currency."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from trading_api.models.broker.account import AccountSubscription
from trading_api.models.broker.enumerations import OrderStatus, OrderType, ParentType, Side, StopType
from trading_api.models.common import DecimalNumber


class OrderDuration(BaseModel):
    """How long an order stays in force."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(min_length=1, max_length=32, description="As in DAY, GTC or GTT.", examples=["GTC"])
    datetime: int | None = Field(default=None, description="When it ends, ms UTC, where the type wants one.")


class AskBid(BaseModel):
    """The quote that the user saw."""

    model_config = ConfigDict(frozen=True)

    ask: DecimalNumber
    bid: DecimalNumber


class OrderMessage(BaseModel):
    """What there is to say about an order, such as why it was rejected."""

    model_config = ConfigDict(frozen=True)

    type: Literal["information", "warning", "error"]
    text: str = Field(examples=["Not enough margin."])


class _OrderTerms(BaseModel):
    """What an order asks for, before and after it is placed."""

    symbol: str = Field(min_length=1, max_length=80, examples=["AAPL"])
    type: OrderType
    side: Side
    qty: DecimalNumber = Field(gt=0, description="Units to trade, a whole number of the symbol's steps.", examples=[10])
    limitPrice: DecimalNumber | None = Field(default=None, description="Of limit and stop limit orders.")  # noqa: N815
    stopPrice: DecimalNumber | None = Field(default=None, description="Of stop and stop limit orders.")  # noqa: N815
    takeProfit: DecimalNumber | None = Field(default=None, description="Limit price of a bracket.")  # noqa: N815
    stopLoss: DecimalNumber | None = Field(default=None, description="Stop price of a bracket.")  # noqa: N815
    guaranteedStop: DecimalNumber | None = Field(default=None, description="Its guaranteed price.")  # noqa: N815
    trailingStopPips: DecimalNumber | None = Field(  # noqa: N815
        default=None, description="Distance of a trailing stop, in pips."
    )
    stopType: StopType | None = Field(default=None, description="The kind of the stop bracket.")  # noqa: N815
    duration: OrderDuration | None = None
    customFields: dict[str, JsonValue] | None = None  # noqa: N815


class PreOrder(_OrderTerms):
    """An order to place. Unknown fields are refused: one that is ignored could be a misspelt stop loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currentQuotes: AskBid | None = Field(default=None, description="The quote when it was sent.")  # noqa: N815
    seenPrice: DecimalNumber | None = Field(default=None, description="The price the user decided on.")  # noqa: N815
    isClose: bool | None = Field(default=None, description="Whether it is meant to close a position.")  # noqa: N815


class PlacedOrder(_OrderTerms):
    """An order that the broker knows."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The order's id.", examples=["1"])
    status: OrderStatus
    filledQty: DecimalNumber = Field(default=Decimal(0), ge=0, description="Units traded so far.")  # noqa: N815
    avgPrice: DecimalNumber | None = Field(  # noqa: N815
        default=None, description="Average price of what was filled; none before the first fill."
    )
    updateTime: int = Field(description="Last change, ms UTC.", examples=[1704153600000])  # noqa: N815
    parentId: str | None = Field(default=None, description="Of a bracket: its order or position.")  # noqa: N815
    parentType: ParentType | None = Field(default=None, description="Of a bracket: what parentId is.")  # noqa: N815
    message: OrderMessage | None = None


class PlacedOrderResult(BaseModel):
    """The answer to a placed order."""

    model_config = ConfigDict(frozen=True)

    orderId: str = Field(description="The order's id.", examples=["1"])  # noqa: N815


class OrderSubscription(AccountSubscription):
    """Whose orders to follow."""
