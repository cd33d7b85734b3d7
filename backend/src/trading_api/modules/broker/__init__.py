"""The broker: paper-trading accounts, their orders and positions, and the link to the quotes they trade on."""

from trading_api.modules.broker.opening import open_service
from trading_api.modules.broker.service import BrokerService
from trading_api.settings import Settings
from trading_api.shared.module import Module


class BrokerModule(Module[BrokerService]):
    """Orders, positions and the account they belong to. What changes something is done by one process of all."""

    traits = ("uses-quotes", "uses-bus", "uses-store")
    """The deployment tells its processes where the datafeed is, gives several of them a bus, and migrates the store."""
    needs_user = True
    """Everybody has an account of their own."""

    def create_service(self, settings: Settings) -> BrokerService:
        return open_service(settings)
