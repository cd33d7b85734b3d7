"""The `replay` feed: stored bars played on a virtual clock."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from sqlalchemy import Engine

from trading_api.feed_settings import FeedSettings
from trading_api.modules.datafeed.bar_time import to_ms
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import SeriesReader
from trading_api.modules.datafeed.bars.store import SeriesKey, Store, StoreError
from trading_api.modules.datafeed.feed.clock import wall_clock
from trading_api.modules.datafeed.feed.finished_series import FinishedSeries, finished_until
from trading_api.modules.datafeed.feed.play_watch import PlayWatch, nothing_to_play
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.replay_clock import ReplayClock, begin_clock, find_clock, instant_text
from trading_api.modules.datafeed.feed.replay_series import ReplaySeries
from trading_api.modules.datafeed.feed.schedule import Schedule, SessionWindow
from trading_api.modules.datafeed.feed.source import MAX_MISSED
from trading_api.modules.datafeed.feed.tape import Tape
from trading_api.modules.datafeed.feed.tape_loader import TapeLoader
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

logger = logging.getLogger(__name__)
Find = Callable[[str], Instrument | None]

# Tapes of symbols that nobody streams, which single requests asked for.
_SPARE = 256
# Days between two looks that are all played; a feed that leaps farther plays the last ones.
_DAYS_KEPT = 8
# Wall clock: so long before the next session its tape is read.
_AHEAD_MS = 10_000
_FAST_STEP_MS, _STEP_MS = 250, 1000


@dataclass(slots=True)
class _Reel:
    """The tapes of one symbol, ascending. The tuple is replaced as a whole, so that readers need no lock."""

    name: str
    loader: TapeLoader
    tapes: tuple[Tape, ...] = ()
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: bool = False
    reading_ahead: bool = False

    def at(self, time: int) -> Tape | None:
        """The tape of an instant, if it is there."""
        return next((tape for tape in reversed(self.tapes) if tape.window.start <= time < tape.end), None)

    def load(self, time: int) -> None:
        """Read what is missing from the newest tape to `time`, and let go of what was played."""
        with self.lock:
            if self.at(time) is not None:
                return
            tapes = list(self._kept(time))
            for window in self._missing(tapes, time):
                follows = bool(tapes) and tapes[-1].end == window.start
                tapes.append(self.loader.load(window, tapes[-1] if follows else None))
            self.tapes = tuple(tapes)
            self._say_end()

    def is_due(self, time: int) -> bool:
        """Whether the tape after the newest one is needed at `time`, and nobody reads it yet."""
        due = bool(self.tapes) and self.tapes[-1].end <= time and not self.reading_ahead
        self.reading_ahead = self.reading_ahead or due
        return due

    def load_next(self) -> None:
        """Read the tape that follows the newest one."""
        try:
            with self.lock:
                newest = self.tapes[-1]
                following = self.loader.schedule.after(newest.window)
                self.tapes = (*self.tapes[-2:], self.loader.load(following, newest))
        finally:
            self.reading_ahead = False

    def _say_end(self) -> None:
        """Log once that all was played."""
        newest = self.tapes[-1]
        if not self.over and not len(newest.track.bars) and self.loader.is_over(newest.window):
            self.over = True
            logger.info("the bars of %s end before %s; its last quote stays", self.name, newest.window.day)

    def _kept(self, time: int) -> Iterator[Tape]:
        """The newest tape before `time`: what is still to be told of it was not played to its end."""
        before = [tape for tape in self.tapes if tape.end <= time]
        yield from before[-1:]

    def _missing(self, tapes: list[Tape], time: int) -> list[SessionWindow]:
        """The sessions after the tapes up to that of `time`, the last few of them."""
        schedule = self.loader.schedule
        window = schedule.latest(time)
        found = [window]
        while tapes and window.start > tapes[-1].end and len(found) < _DAYS_KEPT:
            window = schedule.before(window)
            found.append(window)
        return found[::-1]


class ReplayFeed:
    """The `replay` feed source. Where it stands is the virtual time, ms UTC; 0 until there is something to play."""

    plays_store = True

    def __init__(self, engine: Engine, store: Store, settings: FeedSettings, find: Find) -> None:
        """`find` looks instruments up by name."""
        self.step_ms = _FAST_STEP_MS if settings.speed > 1 else _STEP_MS
        self._engine = engine
        self._store = store
        self._settings = settings
        self._find = find
        self._clock: ReplayClock | None = None
        self._beginning = threading.Lock()
        self._reels: OrderedDict[Instrument, _Reel] = OrderedDict()
        self._reels_lock = threading.Lock()
        self._room = _SPARE
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="replay")
        self._watch = PlayWatch(self._stands, nothing_to_play(settings.symbols))

    @property
    def problem(self) -> str:
        """That there is nothing to play."""
        return self._watch.problem

    async def start(self, wake: Callable[[], None]) -> None:  # noqa: ARG002 - it moves with the clock
        """Begin the replay, or find out when it began; without anything to play, as soon as there is."""
        await self._watch.start()

    async def stop(self) -> None:
        await self._watch.stop()
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """Wait for what is being read ahead, and read no more."""
        self._ahead.shutdown(cancel_futures=True)

    def symbols_held(self) -> int:
        """How many symbols are in memory."""
        return len(self._reels)

    def tapes_held(self) -> int:
        """How many trading days of them."""
        return sum(len(reel.tapes) for reel in tuple(self._reels.values()))

    def moment(self, wall: int) -> int:
        """The virtual time."""
        return self._clock.time(wall) if self._clock else 0

    def covers(self, instrument: Instrument) -> bool:
        """What has bars, of the symbols that were chosen."""
        if not self._is_chosen(instrument):
            return False
        return _schedule(instrument) is not None and bool(self._store.resolutions_of(instrument.name))

    def ready(self, instruments: Collection[Instrument], wall: int) -> bool:
        """Has their tapes of now; those that are soon needed are read meanwhile."""
        if self._clock is None:
            return False
        time, soon = self._clock.time(wall), self._clock.time(wall + _AHEAD_MS)
        reels = [self._reels.get(instrument) for instrument in instruments]
        for reel in reels:
            if reel is not None and reel.is_due(soon):
                self._ahead.submit(_read_ahead, reel)
        return all(reel is not None and reel.at(time) is not None for reel in reels)

    def prepare(self, instruments: Collection[Instrument], wall: int) -> None:
        clock = self._begun(wall)
        if clock is None:
            return
        failure: StoreError | None = None
        for instrument in instruments:
            try:
                self._reel(instrument, len(instruments)).load(clock.time(wall))
            except StoreError as error:
                failure = error
        if failure is not None:
            raise failure

    def changed(self, since: int) -> None:
        """All that are open."""

    def quote(self, instrument: Instrument, moment: int) -> Quote | None:
        tape = self._tape(instrument, moment)
        return tape.quote(moment) if tape else None

    def bars(
        self, instrument: Instrument, resolution: Resolution, since: int | None, moment: int
    ) -> Sequence[ScaledBar]:
        reel = self._reels.get(instrument)
        tape = reel.at(moment) if reel else None
        if reel is None or tape is None:
            return []
        if since is None or resolution.minutes is None:
            return tape.bars(resolution, since, moment)
        played = [one for one in reel.tapes if one.window.start <= moment]
        found = [bar for one in played for bar in one.bars(resolution, since, moment)]
        return found if len(found) <= MAX_MISSED else [*found[: MAX_MISSED - 1], found[-1]]

    def resolutions(self, instrument: Instrument) -> tuple[Resolution, ...]:
        """Those of the store."""
        return self._store.resolutions_of(instrument.name)

    def series(self, instrument: Instrument, resolution: Resolution, wall: int) -> SeriesReader:
        """What is stored, up to the virtual now; of a symbol that is not played the bars that are over by then."""
        if not self._is_chosen(instrument) or _schedule(instrument) is None:
            return self._finished(instrument, resolution, wall)
        self.prepare([instrument], wall)
        head = self.bars(instrument, resolution, None, self.moment(wall))
        stored = self._store.series(SeriesKey(instrument.name, resolution))
        return ReplaySeries(stored, head[0] if head else None)

    def _finished(self, instrument: Instrument, resolution: Resolution, wall: int) -> SeriesReader:
        stored = self._store.series(SeriesKey(instrument.name, resolution))
        clock = self._begun(wall)
        time = clock.time(wall) if clock else self._chosen_start()
        if time is None:
            return ReplaySeries(stored, None)
        return FinishedSeries(stored, finished_until(_schedule(instrument), resolution, time))

    def _is_chosen(self, instrument: Instrument) -> bool:
        return not self._settings.symbols or instrument.name in self._settings.symbols

    def _warn_of_idle(self) -> None:
        """Log the chosen symbols that there is nothing to play of. Raises StoreError."""
        found = {name: self._find(name) for name in self._settings.symbols}
        idle = [name for name, instrument in found.items() if instrument is None or not self.covers(instrument)]
        if idle:
            logger.warning(
                "feed.replay.symbols: nothing to play of %s: no such symbol, or no bars of it are stored yet",
                ", ".join(idle),
            )

    def _tape(self, instrument: Instrument, time: int) -> Tape | None:
        reel = self._reels.get(instrument)
        return reel.at(time) if reel else None

    def _reel(self, instrument: Instrument, wanted: int) -> _Reel:
        """The symbol's reel; those not asked for longest make room."""
        with self._reels_lock:
            self._room = max(self._room, 2 * wanted)
            reel = self._reels.get(instrument)
            if reel is None:
                reel = self._reels[instrument] = _Reel(instrument.name, TapeLoader(self._store, instrument))
            self._reels.move_to_end(instrument)
            while len(self._reels) > self._room:
                self._reels.popitem(last=False)
            return reel

    def _begun(self, wall: int) -> ReplayClock | None:
        """The clock, made when there is something to play."""
        if self._clock is not None:
            return self._clock
        with self._beginning:
            if self._clock is None:
                self._clock = find_clock(self._engine, self._settings) or self._begin(wall)
            return self._clock

    def _begin(self, wall: int) -> ReplayClock | None:
        if not self._has_bars():
            # Also with a chosen start: the clock would run, and its bars be over, before they are imported.
            return None
        chosen = self._chosen_start()
        start = self._oldest() if chosen is None else chosen
        if start is None:
            return None
        return begin_clock(self._engine, self._settings, start=start, now=wall)

    def _chosen_start(self) -> int | None:
        chosen = self._settings.start
        return to_ms(chosen) if chosen else None

    def _stands(self) -> str | None:
        """Where the replay is, for the log; None while there is nothing to play. Raises StoreError."""
        wall = wall_clock()
        clock = self._begun(wall)
        if clock is None or not self._has_bars():
            return None
        self._warn_of_idle()
        return f"is at {instant_text(clock.time(wall))}, {clock.speed} times as fast as the clock"

    def _has_bars(self) -> bool:
        return any(self.covers(instrument) for instrument in self._instruments())

    def _instruments(self) -> Iterator[Instrument]:
        """Those that are to be played: the chosen ones, or all that have bars."""
        names = self._settings.symbols or tuple(self._store.resolutions())
        return (instrument for name in names if (instrument := self._find(name)) is not None)

    def _oldest(self) -> int | None:
        """When the first bar of all begins."""
        loaders = [TapeLoader(self._store, each) for each in self._instruments() if _schedule(each)]
        return min((oldest for loader in loaders if (oldest := loader.oldest()) is not None), default=None)


def _read_ahead(reel: _Reel) -> None:
    """In the thread that reads ahead: what fails is read when it is needed."""
    try:
        reel.load_next()
    except StoreError as error:
        logger.debug("%s: the next day was not read ahead: %s", reel.name, error)


def _schedule(instrument: Instrument) -> Schedule | None:
    """None: its session, time zone or calendar cannot be read."""
    try:
        return Schedule.of(instrument)
    except ValueError:
        return None
