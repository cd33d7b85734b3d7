"""What a subscription tells its reader."""

from dataclasses import dataclass
from typing import Generic, TypeVar

DataT = TypeVar("DataT")


@dataclass(frozen=True, slots=True)
class Update(Generic[DataT]):
    """One update. `seq` is its place in the topic's order, on durable routes."""

    data: DataT
    seq: int | None = None


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection was lost, and is tried again. `reason`: close code and text, as in `1012 restart`."""

    reason: str


@dataclass(frozen=True, slots=True)
class Reconnected:
    """The connection was lost and is back; the topic is subscribed again. Where updates may be missing, Gap follows."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Updates after `since` (None: not known) may be missing, and will not come: read the state anew."""

    reason: str
    since: int | None = None


Event = Update[DataT] | Disconnected | Reconnected | Gap
