"""The subjects of the bus on which the broker's instances speak to one another."""

_ROOT = "broker.v1"
WRITER = f"{_ROOT}.writer"
"""The writer says which epoch it writes for, or that it left."""
WHO_WRITES = f"{_ROOT}.who-writes"
"""An instance asks the writer to say so again."""


def commands(epoch: int) -> str:
    """Where the writer of an epoch takes commands. A paused writer of an older one takes none that are new."""
    return f"{_ROOT}.commands.{epoch}"


def events(account_id: str) -> str:
    """Where the writer says what it has written of an account."""
    return f"{_ROOT}.events.{account_id}"


def equity(account_id: str) -> str:
    """Where the writer says what an account is worth as quotes move; none of it is in the log."""
    return f"{_ROOT}.equity.{account_id}"
