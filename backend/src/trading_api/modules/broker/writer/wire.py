"""What goes over the bus between an instance and the writer: a word, and what belongs to it."""

from __future__ import annotations

from trading_api.modules.broker.writer.call import Reply
from trading_api.modules.broker.writer.codec import dump_reply, load_reply
from trading_api.modules.broker.writer.errors import (
    Again,
    CommandError,
    CommandFailed,
    KeyReused,
    MarketUnknown,
    NoWriter,
    Overloaded,
    StoreFailed,
)

_REPLY = "reply"
_ERRORS: dict[str, type[Again] | type[CommandError]] = {
    "again": Again,
    "store": StoreFailed,
    "late": NoWriter,
    "overloaded": Overloaded,
    "market": MarketUnknown,
    "reused": KeyReused,
    "failed": CommandFailed,
}
_WORDS = {error: word for word, error in _ERRORS.items()}


def dump_success(reply: Reply) -> bytes:
    """The message of an answer."""
    return f"{_REPLY} {dump_reply(reply)}".encode()


def dump_error(error: Again | CommandError) -> bytes:
    """The message of an error."""
    return f"{_WORDS[type(error)]} {error}".encode()


def load_outcome(data: bytes) -> Reply:
    """The answer of a message. Raises its error; ValueError if it is none."""
    word, _, rest = data.decode().partition(" ")
    if word == _REPLY:
        return load_reply(rest)
    if word in _ERRORS:
        raise _ERRORS[word](rest)
    raise ValueError(f"no answer of a writer: {data[:80]!r}")
