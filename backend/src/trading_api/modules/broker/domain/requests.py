"""What clients ask for, as values. `symbol` may be any name the market knows; prices are in the quote currency."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from trading_api.models.broker import OrderType, Side
from trading_api.modules.broker.domain.duration import GOOD_TILL_CANCEL, Duration
from trading_api.modules.broker.domain.order import NO_BRACKETS, Brackets


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """A new order (FIX NewOrderSingle; TradingView's PreOrder). The result is its id."""

    symbol: str
    type: OrderType
    side: Side
    qty: Decimal
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    brackets: Brackets = NO_BRACKETS
    duration: Duration = GOOD_TILL_CANCEL
    custom_fields: str = ""
    is_close: bool = False
    """It may only reduce a position (FIX ExecInst, 18)."""


@dataclass(frozen=True, slots=True)
class ModifyOrder:
    """New terms of a live order (FIX OrderCancelReplaceRequest). None leaves as it is; `Brackets()` takes them away.

    `symbol`, `type`, `side` and `is_close` may be given, as TradingView sends the whole order, but must be what they
    are.
    """

    order_id: str
    qty: Decimal | None = None
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    brackets: Brackets | None = None
    duration: Duration | None = None
    symbol: str | None = None
    type: OrderType | None = None
    side: Side | None = None
    custom_fields: str | None = None
    is_close: bool | None = None


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel a live order (FIX OrderCancelRequest)."""

    order_id: str


@dataclass(frozen=True, slots=True)
class ClosePosition:
    """Close a position by a market order: all of it, or `amount` units."""

    position_id: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class EditBrackets:
    """New brackets of a position; what is absent is taken away (TradingView's editPositionBrackets)."""

    position_id: str
    brackets: Brackets
    custom_fields: str | None = None
    """Of the bracket orders; None leaves them as they are."""


@dataclass(frozen=True, slots=True)
class SetLeverage:
    """The leverage of a symbol. The result is the value then in force."""

    symbol: str
    leverage: Decimal


@dataclass(frozen=True, slots=True)
class Reset:
    """The account as on its first day (development only)."""


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution by hand: all that remains unless `qty` is given, at the order's own price unless `price` is."""

    order_id: str
    qty: Decimal | None = None
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ExecuteOrders:
    """Execute working orders as if the market had come to them (development only). None: all entries."""

    fills: tuple[Fill, ...] | None = None


@dataclass(frozen=True, slots=True)
class PreviewOrder:
    """What placing the order would do; changes nothing. The result is a `Preview`."""

    order: PlaceOrder


@dataclass(frozen=True, slots=True)
class PreviewLeverage:
    """What setting the leverage would do; changes nothing. The result is a `LeveragePreview`."""

    symbol: str
    leverage: Decimal


Command: TypeAlias = (
    PlaceOrder | ModifyOrder | CancelOrder | ClosePosition | EditBrackets | SetLeverage | Reset | ExecuteOrders
)
Query: TypeAlias = PreviewOrder | PreviewLeverage
Request: TypeAlias = Command | Query
