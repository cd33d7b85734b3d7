"""What processes tell one another: publish, subscribe, request. In memory, or over NATS (see `Bus`)."""

from trading_api.shared.bus.bus import Bus, Callback, Handler, Responder, Subscription
from trading_api.shared.bus.errors import (
    BusError,
    BusTimeout,
    BusUnavailable,
    BusUrlError,
    MessageTooLarge,
    NoResponder,
    ResponderBusy,
    ResponderFailed,
    SubjectError,
    TokenError,
)
from trading_api.shared.bus.memory import MemoryBus
from trading_api.shared.bus.message import MAX_MESSAGE, Message
from trading_api.shared.bus.opening import open_bus

__all__ = [
    "MAX_MESSAGE",
    "Bus",
    "BusError",
    "BusTimeout",
    "BusUnavailable",
    "BusUrlError",
    "Callback",
    "Handler",
    "MemoryBus",
    "Message",
    "MessageTooLarge",
    "NoResponder",
    "Responder",
    "ResponderBusy",
    "ResponderFailed",
    "SubjectError",
    "Subscription",
    "TokenError",
    "open_bus",
]
