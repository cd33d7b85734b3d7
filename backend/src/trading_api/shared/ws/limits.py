"""How much one client may ask of the server, and how long anything may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WsLimits:
    """Bounds per connection unless they say otherwise. Nothing a client does makes the server keep more than these."""

    frame_bytes: int = 64 * 1024
    """A larger message from the client closes the connection with 1009."""
    subscriptions: int = 1000
    queue: int = 1024
    """Replies and updates that wait because the client does not read. The next one is one too many."""
    conflated: int = 8192
    """Conflated updates that wait, counted by topic and key."""
    keys: int = 512
    """Keys of one topic whose newest update is kept for subscribers to come. Smaller than `queue`, which takes them."""
    messages_per_s: float = 50.0
    burst: int = 200
    """Messages beyond the rate that are taken; as many again are refused before the connection is closed."""
    topic_bytes: int = 16 * 1024
    id_length: int = 128
    create_s: float = 10.0
    """Seconds that `create_topic`, `remove_topic` and `replay` may take."""
    stop_s: float = 0.5
    """Seconds that the topics may take together to be removed when the server stops."""


DEFAULT_LIMITS = WsLimits()
