"""What streams read of the journal."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from trading_api.modules.broker.domain.events import Event


class EventLog(Protocol):
    """The log of every account. Each method blocks, and raises StoreError."""

    def events_after(
        self, account_id: str, seq: int, kinds: Collection[type[Event]] | None, limit: int
    ) -> Sequence[Event]:
        """The events of an account with a greater `seq`, ascending, `limit` of them at most; None: of every kind."""
        ...

    def last_seqs(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """How far each account's log goes; an account without events may be left out."""
        ...
