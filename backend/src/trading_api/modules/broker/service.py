"""The work of the broker module."""

from __future__ import annotations

from trading_api.models.broker import AccountInfo, BrokerConnection, BrokerConnectionSubscription
from trading_api.modules.broker.account import Account
from trading_api.modules.broker.link.quotes_link import QuotesLink
from trading_api.modules.broker.link.state import LinkState
from trading_api.shared.service import Service, ServiceHealth
from trading_api.shared.ws import AnyTopic, Topic


class BrokerService(Service):
    """A paper-trading broker with one account."""

    def __init__(self, link: QuotesLink, account: Account | None = None) -> None:
        self._link = link
        self._account = account or Account()

    async def startup(self) -> None:
        """Begin to connect to the datafeed; nobody waits for it."""
        self._link.start()

    async def shutdown(self) -> None:
        await self._link.stop()

    def health(self) -> ServiceHealth:
        """Degraded while a datafeed that is deployed cannot be reached: there is nothing to trade on."""
        state = self._link.state
        if self._link.is_deployed and state.is_failure:
            return ServiceHealth("degraded", state.message)
        return super().health()

    def account_info(self) -> AccountInfo:
        """The account as clients see it."""
        return AccountInfo(id=self._account.id, name=self._account.name, currency=self._account.currency)

    async def create_topic(self, topic: AnyTopic) -> None:
        """Begin a stream. Any account id will do: an unknown one means the default account."""
        if not isinstance(topic.request, BrokerConnectionSubscription):
            raise TypeError(f"{topic.name}: the broker has no such route")
        self._stream_connection(topic)

    async def remove_topic(self, topic: AnyTopic) -> None:
        """End a stream."""
        self._link.unlisten(topic.name)

    def _stream_connection(self, topic: Topic[BrokerConnectionSubscription, BrokerConnection]) -> None:
        def tell(state: LinkState) -> None:
            topic.publish(state.wire())

        self._link.listen(topic.name, tell)
