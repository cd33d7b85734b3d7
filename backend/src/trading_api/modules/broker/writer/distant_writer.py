"""A writer that lives, as the store has it, and of which nothing is heard: it is on another bus."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from math import inf

from trading_api.modules.broker.journal.standing import Standing
from trading_api.modules.broker.writer.writer_news import WriterNews

logger = logging.getLogger(__name__)

_SILENCE_S = 2.0
"""Whoever holds the lease says so within milliseconds when it is asked."""
_ALIVE_S = 3.0
"""So long after its last beat a holder counts as living: it beats every half second, and is looked at every second."""
_CARRIED_S = 3.0
"""So long after it carried a question a bus counts as one that works: it is asked every second who writes."""
_PROBLEM = (
    "Orders are carried out by a process that the bus of this deployment does not reach; "
    "whoever shares a store must share a bus (bus.url)."
)


class DistantWriter:
    """Watches the lease's row while the news do not reach its holder. `clock`: monotonic seconds."""

    def __init__(self, news: WriterNews, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._news = news
        self._clock = clock
        self._seen: Standing | None = None
        self._hears = 0
        self._since = 0.0
        self._beat_at: float | None = None
        self._carried_at = -inf
        self._complaint = ""

    def carried(self) -> None:
        """The bus brought a question who writes, be it this instance's own: it is not the bus that is away."""
        self._carried_at = self._clock()

    @property
    def problem(self) -> str:
        """That another one carries out the orders, out of reach, for people; empty if that is not so. Who is for the
        log: anybody may ask for health.
        """
        seen, beat_at, now = self._seen, self._beat_at, self._clock()
        if seen is None or beat_at is None or self._was_heard():
            return ""
        if now - self._since < _SILENCE_S or now - beat_at > _ALIVE_S or now - self._carried_at > _CARRIED_S:
            return ""
        return _PROBLEM

    def saw(self, standing: Standing) -> None:
        """The store says so now."""
        seen, self._seen = self._seen, standing
        now = self._clock()
        if self._was_heard() or seen is None or not standing.held or seen.epoch != standing.epoch:
            self._since, self._beat_at, self._hears = now, None, self._news.hears
        elif seen.beat != standing.beat:
            self._beat_at = now
        self._complain(self.problem, standing)

    def _was_heard(self) -> bool:
        """Now, or since the row was looked at."""
        return self._news.reached or self._news.hears != self._hears

    def _complain(self, problem: str, standing: Standing) -> None:
        """Once for each holder, as it is looked at every second."""
        # Host and process id; what follows tells processes of one id apart.
        holder = (standing.holder or "").rpartition(":")[0]
        if problem and holder != self._complaint:
            logger.warning("%s It is %s.", problem, holder)
            self._complaint = holder
