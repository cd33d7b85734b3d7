"""Why a command got no answer. The texts are for clients."""

from __future__ import annotations

RETRY_AFTER_S = 1


class Again(Exception):
    """Nothing was done, or nobody can tell yet: the same command, with the same id, is to be tried again."""


class StoreFailed(Again):
    """The store did not take it; says what is wrong there."""


class CommandError(Exception):
    """A command that this broker does not answer; the text says why."""


class NoWriter(CommandError):
    """Nobody carried the command out in time. Whether it was done is unknown; the same command id tells.

    `retry_after_s`: seconds after which it may go better (HTTP's Retry-After).
    """

    def __init__(self, reason: str, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Overloaded(NoWriter):
    """More commands wait than this broker takes; nothing of this one was done."""


class MarketUnknown(CommandError):
    """What must be known of a market is not at the moment, for no fault of the client. Nothing was done, and its id

    was not used up. `retry_after_s`: as of NoWriter.
    """

    def __init__(self, reason: str, *, retry_after_s: int = RETRY_AFTER_S) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s


class Unreached(NoWriter):
    """The one that carries out commands is on another bus: nobody but the operator can help."""


class KeyReused(CommandError):
    """Another command had this id (the Idempotency-Key); nothing of this one was done."""


class CommandFailed(CommandError):
    """A defect of the broker, which its log has; nothing of the command was done."""
