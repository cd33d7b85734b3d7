"""A trading account as clients see it: who it is, and what it is worth."""

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.common import DecimalNumber


class AccountInfo(BaseModel):
    """Who trades, and in which currency the account is kept (TradingView's AccountMetainfo)."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The account's id.", examples=["DEMO-ACCOUNT"])
    name: str = Field(description="The account's name, for people.", examples=["Demo account"])
    currency: str = Field(description="ISO 4217 code of the account's currency.", examples=["USD"])


class AccountSubscription(BaseModel):
    """Whose updates to stream. An unknown id means the account of whoever asks; the topic is echoed as asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accountId: str = Field(  # noqa: N815 - TradingView's spelling
        min_length=1, max_length=64, description="The account's id.", examples=["DEMO-ACCOUNT"]
    )


class EquityData(BaseModel):
    """What an account is worth, in its currency. Longs are valued at the bid, shorts at the ask."""

    model_config = ConfigDict(frozen=True)

    equity: DecimalNumber = Field(description="balance + unrealizedPL.", examples=[100250.5])
    balance: DecimalNumber = Field(
        description="Cash: the first day's, and realised profit and loss, less commissions.", examples=[100000]
    )
    unrealizedPL: DecimalNumber = Field(description="Profit and loss of the open positions.")  # noqa: N815
    realizedPL: DecimalNumber = Field(  # noqa: N815
        description="Profit and loss of what was closed, before commissions."
    )


class EquitySubscription(AccountSubscription):
    """Whose equity to follow."""
