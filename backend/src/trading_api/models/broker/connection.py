"""The state of the broker's link to its quotes."""

from pydantic import BaseModel, ConfigDict, Field

from trading_api.models.broker.account import AccountSubscription
from trading_api.models.broker.enumerations import ConnectionStatus


class BrokerConnectionSubscription(AccountSubscription):
    """Whose broker connection to follow. The current state comes at once, then every change."""


class BrokerConnection(BaseModel):
    """Whether the broker has quotes to trade on."""

    model_config = ConfigDict(frozen=True)

    status: ConnectionStatus = Field(description="1 connected, 2 connecting, 3 disconnected, 4 error.")
    message: str = Field(description="The same in words.", examples=["The broker receives quotes."])
    timestamp: int = Field(description="Since when, ms UTC.", examples=[1704153600000])
