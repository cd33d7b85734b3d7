"""The bars of simulated sessions that are over: computed once, for they never change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock
from typing import NamedTuple

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.columns import BarColumns
from trading_api.modules.datafeed.feed.schedule import SessionWindow
from trading_api.modules.datafeed.instruments.instrument import Instrument

ROOM = 100_000
"""Five megabytes: the last three weeks of minutes of three symbols that never close."""


class SessionKey(NamedTuple):
    """One session, cut into bars of `step` minutes."""

    instrument: Instrument
    window: SessionWindow
    step: int


class SessionShelf:
    """Keeps the sessions that were asked for last. For any thread."""

    def __init__(self, room: int = ROOM) -> None:
        """`room`: how many bars there may be altogether."""
        self._room = room
        self._held = 0
        self._sessions: OrderedDict[SessionKey, BarColumns] = OrderedDict()
        self._lock = Lock()

    @property
    def bars_held(self) -> int:
        """How many bars there are."""
        return self._held

    def get(self, key: SessionKey) -> BarColumns | None:
        """The bars of a session, if they are here."""
        with self._lock:
            found = self._sessions.get(key)
            if found is not None:
                self._sessions.move_to_end(key)
            return found

    def put(self, key: SessionKey, bars: Iterable[ScaledBar]) -> BarColumns:
        """Keep all bars of a session; those not asked for longest make room. Returns them."""
        columns = BarColumns(bars)
        with self._lock:
            self._drop(key)
            self._sessions[key] = columns
            self._held += len(columns)
            while self._held > self._room:
                self._drop(next(iter(self._sessions)))
        return columns

    def _drop(self, key: SessionKey) -> None:
        dropped = self._sessions.pop(key, None)
        if dropped is not None:
            self._held -= len(dropped)
