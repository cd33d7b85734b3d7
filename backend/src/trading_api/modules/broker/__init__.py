"""The broker: a paper-trading account."""

from trading_api.modules.broker.service import BrokerService
from trading_api.settings import Settings
from trading_api.shared.module import Module


class BrokerModule(Module[BrokerService]):
    """Orders, positions and the account they belong to."""

    def create_service(self, settings: Settings) -> BrokerService:  # noqa: ARG002 - needs none yet
        """A broker with the default account."""
        return BrokerService()
