"""Who writes, as the store has it: for when nobody answers on the bus."""

from __future__ import annotations

import asyncio
import logging

from trading_api.modules.broker.writer.distant_writer import DistantWriter
from trading_api.modules.broker.writer.ports import StandingPort
from trading_api.modules.broker.writer.store_identity import StoreIdentity
from trading_api.modules.broker.writer.writer_news import WriterNews
from trading_api.shared.store.errors import StoreError

logger = logging.getLogger(__name__)

_EVERY_S = 0.25
_LAST_LOOK_S = 2.0


class StoreLook:
    """Reads the lease's row in a thread, one look at a time and four in a second at most, and has the news follow it.

    What was heard may be of a store that was set back since, or from somebody who spoke too late: the row decides.
    """

    def __init__(self, store: StandingPort, identity: StoreIdentity, news: WriterNews) -> None:
        self._store = store
        self._identity = identity
        self._news = news
        self._distant = DistantWriter(news)
        self._looked = -_EVERY_S
        self._looking: asyncio.Task[None] | None = None

    @property
    def distant(self) -> str:
        """Who writes, out of this bus's reach, for people; empty if that is not so, or not known."""
        return self._distant.problem

    def carried(self) -> None:
        """The bus brought a question who writes."""
        self._distant.carried()

    def begin(self) -> None:
        """Look soon, unless it was just done. Does not wait; who waits for news is woken by what is found."""
        now = asyncio.get_running_loop().time()
        if self._looking is None and now - self._looked >= _EVERY_S:
            self._looked = now
            self._looking = asyncio.create_task(self._look(), name="broker's look at the lease")

    async def stop(self) -> None:
        """Wait for a look that is under way, for a moment."""
        if self._looking is not None:
            await asyncio.wait({self._looking}, timeout=_LAST_LOOK_S)
            if self._looking is not None:
                self._looking.cancel()

    async def _look(self) -> None:
        changes = self._news.changes
        try:
            standing = await asyncio.to_thread(self._store.standing)
        except StoreError as error:
            logger.debug("who writes cannot be read: %s", error)
            return
        except Exception:  # A boundary: nobody waits for this task, and the next look may go well.
            logger.exception("who writes cannot be read")
            return
        finally:
            self._looking = None
        if standing is None:
            return
        self._identity.found(standing.store_id)
        # What was announced in the meantime is newer than what was read.
        if self._news.changes == changes:
            self._news.read(standing.epoch, held=standing.held)
            self._distant.saw(standing)
