"""What the WebSockets of one version of a module have done since the process started."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field


@dataclass(slots=True)
class WsCounters:
    """Counted as it happens; only ever grows."""

    accepted: int = 0
    published: int = 0
    delivered: int = 0
    conflated: int = 0
    replayed: int = 0
    errors: int = 0
    disconnected_slow: int = 0
    disconnected_flooding: int = 0
    topics_created: int = 0
    topics_removed: int = 0


class WebSocketStatistics(BaseModel):
    """The answer of `/ws-stats`. The first three are of this moment, the others counts since the process started."""

    model_config = ConfigDict(frozen=True)

    connections: int = Field(description="Clients that are connected.")
    topics: int = Field(description="Topics that exist, or are being created or removed.")
    subscriptions: int = Field(description="Subscriptions of all clients.")
    accepted: int = Field(description="Connections taken.")
    published: int = Field(description="Updates that topics published.")
    delivered: int = Field(
        description="Updates handed to subscribers, also the newest to a new one: one handed to ten counts ten."
    )
    conflated: int = Field(description="Updates that a newer one replaced before a slow subscriber could take them.")
    replayed: int = Field(description="Missed updates that were sent again to subscribers that resumed.")
    errors: int = Field(description="Error replies.")
    disconnected_slow: int = Field(description="Clients closed because they did not read what may not be dropped.")
    disconnected_flooding: int = Field(description="Clients closed because they kept sending too much.")
    topics_created: int = Field(description="Topics that were created.")
    topics_removed: int = Field(description="Topics that were removed.")
