"""Version 1 of the broker's REST API."""

from trading_api.models.broker import AccountInfo
from trading_api.modules.broker import BrokerModule
from trading_api.shared.api import APIRouterInterface


class BrokerApi(APIRouterInterface[BrokerModule]):
    """The routes of the trading contract for the broker."""

    def register(self) -> None:
        """One line per route."""
        self.get("/account", operation_id="getAccountInfo", tags=["account"])(self.get_account_info)

    async def get_account_info(self) -> AccountInfo:
        """The account this broker trades for."""
        return self.module.service.account_info()
