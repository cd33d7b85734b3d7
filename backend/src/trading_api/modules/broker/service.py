"""The work of the broker module."""

from trading_api.models.broker import AccountInfo
from trading_api.modules.broker.account import Account
from trading_api.shared.service import Service


class BrokerService(Service):
    """A paper-trading broker with one account."""

    def __init__(self, account: Account | None = None) -> None:
        self._account = account or Account()

    def account_info(self) -> AccountInfo:
        """The account as clients see it."""
        return AccountInfo(id=self._account.id, name=self._account.name, currency=self._account.currency)
