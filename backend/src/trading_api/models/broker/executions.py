"""Executions on the wire: what was traded."""

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.broker.account import AccountSubscription
from trading_api.models.broker.enumerations import Side
from trading_api.models.common import DecimalNumber


class Execution(BaseModel):
    """One fill. `id`, `orderId`, `commission` and `seq` are this backend's own; the rest is TradingView's."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The fill's id.", examples=["1"])
    orderId: str = Field(description="The order that was filled.", examples=["1"])  # noqa: N815
    symbol: str = Field(examples=["AAPL"])
    price: DecimalNumber = Field(description="Quote currency.", examples=[187.16])
    qty: DecimalNumber = Field(gt=0, description="Units traded.", examples=[10])
    side: Side
    time: int = Field(description="ms UTC.", examples=[1704153600000])
    commission: DecimalNumber = Field(ge=0, description="In the account's currency.")
    seq: int = Field(ge=0, description="Its place in the account's sequence of events.")


class ExecutionSubscription(AccountSubscription):
    """Whose executions to follow."""
