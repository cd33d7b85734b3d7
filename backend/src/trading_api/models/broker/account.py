"""A trading account as clients see it."""

from pydantic import BaseModel, ConfigDict, Field


class AccountInfo(BaseModel):
    """Who trades, and in which currency the account is kept (TradingView's AccountMetainfo)."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(description="The account's id.", examples=["DEMO-ACCOUNT"])
    name: str = Field(description="The account's name, for people.", examples=["Demo account"])
    currency: str = Field(description="ISO 4217 code of the account's currency.", examples=["USD"])
