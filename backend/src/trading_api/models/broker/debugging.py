"""What the broker's development routes take."""

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.broker.numbers import PositiveNumber


class OrderToExecute(BaseModel):
    """One execution by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    orderId: str = Field(min_length=1, max_length=64, description="A working order.", examples=["1"])  # noqa: N815
    qty: PositiveNumber | None = Field(default=None, description="Units; absent: all that remains.")
    price: PositiveNumber | None = Field(default=None, description="Absent: the order's own price.")


class ExecuteOrdersRequest(BaseModel):
    """Working orders to execute as if the market had come to them; absent: all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    orders: list[OrderToExecute] | None = Field(default=None, max_length=1000)
