"""How commits fare: the lease's beats may get through to a store that takes no orders."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trading_api.modules.broker.journal.batch import Batch, CommandAnswer
from trading_api.modules.broker.writer.call import CallKey
from trading_api.modules.broker.writer.ports import Fence, JournalPort
from trading_api.shared.lease import LeaseLost

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trading_api.modules.broker.domain.account import AccountState
    from trading_api.modules.broker.journal.standing import Standing

logger = logging.getLogger(__name__)

NO_STORE = "Orders cannot be stored at the moment."
_SLOW_S = 2.0
"""A commit takes milliseconds; one that is under way for so long is waiting for something."""


class CommitWatch:
    """A journal that remembers whether its last commit went well. One commit or trial at a time, in any thread.

    `clock_ms`: the time of day, for people; `clock`: monotonic seconds.
    """

    def __init__(
        self, journal: JournalPort, clock_ms: Callable[[], int], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._journal = journal
        self._clock_ms = clock_ms
        self._clock = clock
        # Of what is under way: since when, on both clocks.
        self._begun: tuple[float, int] | None = None
        self._failed_ms: int | None = None

    @property
    def failed(self) -> bool:
        """Whether a commit failed, and none has succeeded since."""
        return self._failed_ms is not None

    @property
    def problem(self) -> str:
        """What is wrong, for people; empty if nothing is. Why is for the log: it may say where the store is."""
        begun, failed_ms = self._begun, self._failed_ms
        if failed_ms is not None:
            return _told(f"a commit failed at {_time(failed_ms)}")
        if begun is not None and self._clock() - begun[0] > _SLOW_S:
            return _told(f"a commit is under way since {_time(begun[1])}")
        return ""

    def commit(self, batch: Batch, fence: Fence) -> None:
        """As the journal's."""
        with self._watched():
            self._journal.commit(batch, fence)

    def trial(self, fence: Fence) -> None:
        """See whether the store takes something again; what it says then is remembered, and not raised."""
        try:
            with self._watched():
                self._journal.trial(fence)
        except Exception:  # A boundary: nobody waits for it, and it will be tried again.
            logger.debug("the store still takes nothing", exc_info=True)
        else:
            logger.info("the store takes what is written again")

    def load(self) -> Sequence[AccountState]:
        return self._journal.load()

    def answers(self, keys: Collection[CallKey]) -> Mapping[CallKey, CommandAnswer]:
        return self._journal.answers(keys)

    def identify(self) -> str:
        return self._journal.identify()

    def standing(self) -> Standing | None:
        return self._journal.standing()

    @contextmanager
    def _watched(self) -> Iterator[None]:
        self._begun = self._clock(), self._clock_ms()
        try:
            yield
        except LeaseLost:
            # Another one writes, and knows better.
            self._failed_ms = None
            raise
        except Exception:
            self._failed_ms = self._failed_ms or self._clock_ms()
            raise
        else:
            self._failed_ms = None
        finally:
            self._begun = None


def _told(what: str) -> str:
    return f"{NO_STORE.removesuffix('.')}: {what}, and none has succeeded since."


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%H:%M:%S} UTC"
