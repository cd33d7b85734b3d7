"""Leverage on the wire (TradingView's LeverageInfo and friends)."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.broker.numbers import OrderTypeNumber, PositiveNumber, SideNumber
from trading_api.models.broker.texts import NO_NUL
from trading_api.models.common import DecimalNumber


class LeverageInfo(BaseModel):
    """The leverage in force for a symbol, and what may be chosen."""

    model_config = ConfigDict(frozen=True)

    title: str = Field(description="A heading for the dialog.", examples=["AAPL leverage"])
    leverage: DecimalNumber = Field(examples=[10])
    min: DecimalNumber = Field(examples=[1])
    max: DecimalNumber = Field(examples=[100])
    step: DecimalNumber = Field(examples=[1])


class LeverageSetRequest(BaseModel):
    """A leverage to set, or to preview."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: Annotated[str, NO_NUL] = Field(min_length=1, max_length=80, examples=["AAPL"])
    orderType: OrderTypeNumber  # noqa: N815 - TradingView's spelling
    side: SideNumber
    leverage: PositiveNumber = Field(examples=[20])


class LeverageSetResult(BaseModel):
    """The value now in force."""

    model_config = ConfigDict(frozen=True)

    leverage: DecimalNumber = Field(examples=[20])


class LeveragePreview(BaseModel):
    """What setting the leverage would mean, in words."""

    model_config = ConfigDict(frozen=True)

    infos: list[str]
    warnings: list[str]
    errors: list[str] = Field(description="Reasons for which it would be refused.")
