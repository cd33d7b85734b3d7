"""How much one client may ask of the server, and how long anything may take."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WsLimits:
    """Bounds per connection unless they say otherwise. Nothing a client does makes the server keep more than these."""

    frame_bytes: int = 64 * 1024
    """A larger message from the client closes the connection with 1009."""
    subscriptions: int = 1000
    held_keys: int = 2000
    """Keys of all subscriptions together, as their requests count them (`Keyed`). Less than `conflated`, which thus
    has a place for each: reading slowly is no reason to close a client of conflating routes."""
    held_bytes: int = 512 * 1024
    """Names of all topics together, which are as long as the requests."""
    queue: int = 1024
    """Replies and updates that wait because the client does not read. The next one is one too many."""
    queue_bytes: int = 8 * 1024 * 1024
    """The data of those, and as much again of conflated updates."""
    conflated: int = 8192
    """Conflated updates that wait, counted by topic and key. Only topics that publish with more keys than their
    requests count can reach it."""
    keys: int = 512
    """Keys of one topic whose newest update is kept for subscribers to come. Half of `queue`, which takes them."""
    keys_bytes: int = 1024 * 1024
    """The data of those."""
    memory: int = 128 * 1024 * 1024
    """Bytes of topics, of their newest updates and of all that waits, for all clients of a hub together. Beyond it new
    topics are refused and slow clients are closed."""
    messages_per_s: float = 50.0
    burst: int = 200
    """Messages beyond the rate that are taken; as many again are refused before the connection is closed."""
    topic_bytes: int = 4 * 1024
    id_length: int = 128
    create_s: float = 10.0
    """Seconds that `create_topic`, `remove_topic` and `replay` may take."""
    stop_s: float = 0.5
    """Seconds that the topics may take together to be removed when the server stops."""


DEFAULT_LIMITS = WsLimits()
