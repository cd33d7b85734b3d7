"""How the link fares."""

from __future__ import annotations

from dataclasses import dataclass

from trading_api.models.broker import BrokerConnection, ConnectionStatus


@dataclass(frozen=True, slots=True)
class LinkState:
    """`since` is when it began, ms UTC; `message` is for people and names no address."""

    status: ConnectionStatus
    message: str
    since: int

    @property
    def is_failure(self) -> bool:
        """Whether something that should be there is missing."""
        return self.status in {ConnectionStatus.DISCONNECTED, ConnectionStatus.ERROR}

    def wire(self) -> BrokerConnection:
        """The same for clients."""
        return BrokerConnection(status=self.status, message=self.message, timestamp=self.since)
