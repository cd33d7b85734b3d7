"""Orders on the wire (TradingView's PreOrder and PlacedOrder). Prices are in the symbol's quote currency."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from trading_api.models.broker.account import AccountSubscription
from trading_api.models.broker.custom_fields import CustomFields
from trading_api.models.broker.enumerations import OrderStatus, ParentType
from trading_api.models.broker.numbers import (
    AnyNumber,
    Milliseconds,
    OrderStatusNumber,
    OrderTypeNumber,
    ParentTypeNumber,
    PositiveNumber,
    SideNumber,
    StopTypeNumber,
)
from trading_api.models.broker.texts import NO_NUL
from trading_api.models.common import DecimalNumber


class OrderDuration(BaseModel):
    """How long an order stays in force. Unknown fields are refused: one could be a misspelt end."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Annotated[str, NO_NUL] = Field(
        min_length=1, max_length=32, description="DAY, GTC, GTD (or GTT), IOC or FOK, in any case.", examples=["GTC"]
    )
    datetime: Milliseconds | None = Field(default=None, description="Of GTD and GTT: when it ends, ms UTC.")


class AskBid(BaseModel):
    """The quote that the user saw."""

    model_config = ConfigDict(frozen=True)

    ask: AnyNumber
    bid: AnyNumber


class OrderMessage(BaseModel):
    """What there is to say about an order, such as why it was rejected."""

    model_config = ConfigDict(frozen=True)

    type: Literal["information", "warning", "error"]
    text: str = Field(examples=["Not enough margin."])


class _OrderTerms(BaseModel):
    """What an order asks for, before and after it is placed."""

    symbol: Annotated[str, NO_NUL] = Field(min_length=1, max_length=80, examples=["AAPL"])
    type: OrderTypeNumber
    side: SideNumber
    qty: PositiveNumber = Field(description="Units to trade, a whole number of the symbol's steps.", examples=[10])
    limitPrice: AnyNumber | None = Field(default=None, description="Of limit and stop limit orders.")  # noqa: N815
    stopPrice: AnyNumber | None = Field(default=None, description="Of stop and stop limit orders.")  # noqa: N815
    takeProfit: AnyNumber | None = Field(default=None, description="Limit price of a bracket.")  # noqa: N815
    stopLoss: AnyNumber | None = Field(default=None, description="Stop price of a bracket.")  # noqa: N815
    guaranteedStop: AnyNumber | None = Field(default=None, description="Its guaranteed price.")  # noqa: N815
    trailingStopPips: AnyNumber | None = Field(  # noqa: N815
        default=None, description="Distance of a trailing stop, in pips."
    )
    stopType: StopTypeNumber | None = Field(default=None, description="The kind of the stop bracket.")  # noqa: N815
    duration: OrderDuration | None = None
    customFields: CustomFields | None = Field(  # noqa: N815
        default=None, description="The client's own, given back as they came."
    )


class PreOrder(_OrderTerms):
    """An order to place. Unknown fields are refused: one that is ignored could be a misspelt stop loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    currentQuotes: AskBid | None = Field(default=None, description="The quote when it was sent.")  # noqa: N815
    seenPrice: AnyNumber | None = Field(default=None, description="The price the user decided on.")  # noqa: N815
    isClose: StrictBool | None = Field(  # noqa: N815
        default=None, description="Whether it is meant to close a position; then it only reduces."
    )


class ChangedOrder(_OrderTerms):
    """An order with its new terms, whole, as TradingView's modifyOrder sends it.

    Brackets that are absent are taken away; any other term that is absent stays. Symbol, type and side cannot change.
    What only the broker decides (`status`, `filledQty` and the like) may be sent along and is not looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = Field(default=None, description="If given, that of the path.")
    currentQuotes: AskBid | None = None  # noqa: N815
    seenPrice: AnyNumber | None = None  # noqa: N815
    isClose: StrictBool | None = None  # noqa: N815
    status: OrderStatusNumber | None = None
    filledQty: AnyNumber | None = None  # noqa: N815
    avgPrice: AnyNumber | None = None  # noqa: N815
    updateTime: Milliseconds | None = None  # noqa: N815
    parentId: str | None = None  # noqa: N815
    parentType: ParentTypeNumber | None = None  # noqa: N815
    message: OrderMessage | None = None


class PlacedOrder(_OrderTerms):
    """An order that the broker knows."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The order's id.", examples=["1"])
    status: OrderStatus
    filledQty: DecimalNumber = Field(ge=0, description="Units traded so far.")  # noqa: N815
    avgPrice: DecimalNumber | None = Field(  # noqa: N815
        default=None, description="Average price of what was filled; none before the first fill."
    )
    updateTime: int = Field(description="Last change, ms UTC.", examples=[1704153600000])  # noqa: N815
    parentId: str | None = Field(default=None, description="Of a bracket: its order or position.")  # noqa: N815
    parentType: ParentType | None = Field(default=None, description="Of a bracket: what parentId is.")  # noqa: N815
    isClose: bool | None = Field(  # noqa: N815
        default=None, description="True of an order that may only reduce a position, and goes with it."
    )
    message: OrderMessage | None = Field(
        default=None, description="Why it ended so; of a working stop limit that its stop was reached."
    )


class PlacedOrderResult(BaseModel):
    """The answer to a placed order."""

    model_config = ConfigDict(frozen=True)

    orderId: str = Field(description="The order's id.", examples=["1"])  # noqa: N815


class OrderSubscription(AccountSubscription):
    """Whose orders to follow."""
