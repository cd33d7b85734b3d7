"""Which store this instance works on, and so which subjects of the bus are its own."""

from __future__ import annotations

import asyncio
import logging

from trading_api.modules.broker.writer.ports import StandingPort
from trading_api.modules.broker.writer.subjects import Subjects
from trading_api.shared.store.errors import StoreError

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LAST_PAUSE_S = 0.05, 1.0


class StoreIdentity:
    """Not known until the store was read: until then this instance has nothing to say on the bus, and hears nothing."""

    def __init__(self, store: StandingPort) -> None:
        self._store = store
        self._known: Subjects | None = None

    @property
    def known(self) -> Subjects | None:
        """The store's subjects; None while it could not be read yet."""
        return self._known

    async def subjects(self) -> Subjects:
        """The store's subjects, read if need be. Raises StoreError."""
        return self._known or self.found(await asyncio.to_thread(self._store.identify))

    async def patiently(self) -> Subjects:
        """The same, as soon as the store can be read."""
        pause, complaint = _FIRST_PAUSE_S, ""
        while True:
            try:
                return await self.subjects()
            except StoreError as error:
                if str(error) != complaint:
                    logger.warning("which store it is cannot be read, so the broker says nothing on the bus: %s", error)
                complaint = str(error)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LAST_PAUSE_S)

    def found(self, store_id: str) -> Subjects:
        """The store says who it is. Where it was exchanged for another one it says something new."""
        if self._known is None or self._known.store_id != store_id:
            if self._known is not None:
                logger.warning("the store was exchanged: %s is now %s", self._known.store_id, store_id)
            self._known = Subjects(store_id)
        return self._known
