"""One message, and how large it may be."""

from dataclasses import dataclass

from trading_api.shared.bus.errors import MessageTooLarge

# Bytes. The same as the `max_payload` of the tree's nats-server.
MAX_MESSAGE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """What was published: on which subject, and the bytes as they were given."""

    subject: str
    data: bytes


def check_size(subject: str, data: bytes) -> None:
    """Raises MessageTooLarge."""
    if len(data) > MAX_MESSAGE:
        raise MessageTooLarge(f"a message on {subject!r} has {len(data)} bytes; at most {MAX_MESSAGE} are sent")
