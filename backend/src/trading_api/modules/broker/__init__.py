"""The broker: a paper-trading account, and its link to the quotes it trades on."""

from trading_api.modules.broker.link.address import quotes_urls
from trading_api.modules.broker.link.quotes_link import QuotesLink
from trading_api.modules.broker.service import BrokerService
from trading_api.settings import Settings
from trading_api.shared.module import Module


class BrokerModule(Module[BrokerService]):
    """Orders, positions and the account they belong to."""

    traits = ("uses-quotes", "uses-bus")
    """The deployment tells its processes where the datafeed is, and gives several of them a bus."""

    def create_service(self, settings: Settings) -> BrokerService:
        """A broker with the default account."""
        return BrokerService(QuotesLink(quotes_urls(settings)))
