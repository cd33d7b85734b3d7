"""The subjects of the bus on which the broker's instances speak to one another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Subjects:
    """Those of one store. Instances of another one, on the same bus, neither hear nor answer them."""

    store_id: str

    @property
    def writer(self) -> str:
        """The writer says which epoch it writes for, or that it left."""
        return f"{self._root}.writer"

    @property
    def who_writes(self) -> str:
        """An instance asks the writer to say so again."""
        return f"{self._root}.who-writes"

    def commands(self, epoch: int) -> str:
        """Where the writer of an epoch takes commands. A paused writer of an older one takes none that are new."""
        return f"{self._root}.commands.{epoch}"

    def events(self, account_id: str) -> str:
        """Where the writer says what it has written of an account."""
        return f"{self._root}.events.{account_id}"

    def equity(self, account_id: str) -> str:
        """Where the writer says what an account is worth as quotes move; none of it is in the log."""
        return f"{self._root}.equity.{account_id}"

    @property
    def _root(self) -> str:
        return f"broker.v1.{self.store_id}"
