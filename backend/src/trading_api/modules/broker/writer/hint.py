"""What the writer says of an account after a commit: how far its log goes, and what is new in it if that is little."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from trading_api.modules.broker.domain.events import Event
from trading_api.modules.broker.writer.event_codec import dump_event, load_event

INLINE = 16
"""So many events, at most, go with a hint; whoever follows the account need not read the log for them."""


@dataclass(frozen=True, slots=True)
class Hint:
    """The events `first` to `last` of an account are in the log; `events` are these, all or none of them."""

    first: int
    last: int
    events: tuple[Event, ...] = ()


def hint_of(events: Sequence[Event], *, inline: int) -> Hint:
    """The hint for consecutive events of one account; `inline`: so many of them go with it, at most."""
    return Hint(events[0].seq, events[-1].seq, tuple(events) if len(events) <= inline else ())


def dump_hint(hint: Hint) -> bytes:
    """The message."""
    written = {"first": hint.first, "last": hint.last, "events": [dump_event(event) for event in hint.events]}
    return json.dumps(written).encode()


def load_hint(data: bytes) -> Hint:
    """The message read. Raises ValueError."""
    read = json.loads(data)
    match read:
        case {"first": int(first), "last": int(last), "events": list(texts)}:
            return Hint(first, last, tuple(load_event(text) for text in texts))
    raise ValueError(f"no hint: {data[:80]!r}")
