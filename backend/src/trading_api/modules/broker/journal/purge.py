"""Old answers leave the store now and then, a bounded number at a time: a commit never waits long for it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from trading_api.modules.broker.journal.statements import delete_rows
from trading_api.modules.broker.tables import commands

KEPT_MS = 24 * 3600 * 1000
"""How long an answer is kept at least: a retry comes within seconds, a client that was switched off within a day."""
_EVERY_S = 60.0
PORTION = 500


class AnswerPurge:
    """Knows when it is time. For one thread at a time."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due = clock()

    def run(self, connection: Connection, now_ms: int) -> None:
        """Remove a portion of what is too old, if it is time; while there is more, the next commit goes on."""
        if self._clock() < self._due:
            return
        key = (commands.c.account_id, commands.c.command_id)
        oldest = select(*key).where(commands.c.created_ms < now_ms - KEPT_MS).order_by(commands.c.created_ms)
        found = [(account_id, command_id) for account_id, command_id in connection.execute(oldest.limit(PORTION))]
        delete_rows(connection, commands, found)
        if len(found) < PORTION:
            self._due = self._clock() + _EVERY_S
