"""Reads the tapes of a replay from the store."""

from __future__ import annotations

from collections.abc import Mapping

from trading_api.modules.datafeed.bar_time import EARLIEST, period_start, to_ms
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.history import SeriesReader
from trading_api.modules.datafeed.bars.store import SeriesKey, Store
from trading_api.modules.datafeed.feed.columns import BarColumns
from trading_api.modules.datafeed.feed.day_bars import first_session, midnight, period_end
from trading_api.modules.datafeed.feed.price_unit import price_unit
from trading_api.modules.datafeed.feed.schedule import MINUTE_MS, Schedule, SessionWindow
from trading_api.modules.datafeed.feed.spans import span_at
from trading_api.modules.datafeed.feed.tape import Carried, DatedBars, Scales, Tape
from trading_api.modules.datafeed.feed.track import Track, dated_track, intraday_track
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

# A day has 1440 minutes, and what follows its session until the next opening may last a few days.
_MOST_BARS = 20_000
# The days of a month, and some for a feed that leaps.
_DATED_KEPT = 40
_BEGINNING = to_ms(EARLIEST)
_DATED = (Resolution.DAY, Resolution.WEEK, Resolution.MONTH)
Readers = Mapping[Resolution, SeriesReader]


class TapeLoader:
    """Makes tapes of one instrument. All of its methods read the store: StoreError."""

    def __init__(self, store: Store, instrument: Instrument) -> None:
        """Raises ValueError when the instrument's session, time zone or calendar cannot be used."""
        self.schedule = Schedule.of(instrument)
        self._store = store
        self._instrument = instrument

    def load(self, window: SessionWindow, previous: Tape | None) -> Tape:
        """The tape of a trading day. `previous` is that of the day before, if it is at hand."""
        readers = self._readers()
        carried = previous.carry() if previous else self._carried(window, readers)
        return self._read(window, readers, carried)

    def oldest(self) -> int | None:
        """When the first stored bar begins, ms UTC; None if there is none.

        A coarser bar that holds the first of the finer ones begins with that.
        """
        oldest: int | None = None
        for resolution, reader in self._readers().items():
            for bar in reader.between(start=_BEGINNING, end=None, limit=1):
                if oldest is None or self._over(resolution, bar.time) <= oldest:
                    oldest = self._begins(resolution, bar.time)
        return oldest

    def is_over(self, window: SessionWindow) -> bool:
        """Whether no bar is stored that begins after a day."""
        after = self.schedule.after(window).start
        for resolution, reader in self._readers().items():
            start = after if resolution.minutes else midnight(period_start(window.day, resolution)) + 1
            if reader.between(start=start, end=None, limit=1):
                return False
        return True

    def _begins(self, resolution: Resolution, bar_time: int) -> int:
        return bar_time if resolution.minutes else first_session(self.schedule, bar_time).start

    def _over(self, resolution: Resolution, bar_time: int) -> int:
        """When a bar has ended, ms UTC."""
        if resolution.minutes:
            return bar_time + _step(resolution)
        return first_session(self.schedule, period_end(resolution, bar_time)).start

    def _readers(self) -> Readers:
        """Finest first."""
        name = self._instrument.name
        return {each: self._store.series(SeriesKey(name, each)) for each in self._store.resolutions_of(name)}

    def _read(self, window: SessionWindow, readers: Readers, carried: Carried | None) -> Tape:
        end = self.schedule.after(window).start
        intraday = {resolution: reader for resolution, reader in readers.items() if resolution.minutes}
        stored = {each: BarColumns(_of_day(each, reader, window.start, end)) for each, reader in intraday.items()}
        before = {each: bar for each, reader in intraday.items() for bar in _last_before(each, reader, window.start)}
        dated = {each: self._dated(window, each, readers[each]) for each in _DATED if each in readers}
        track = intraday_track(window, stored) or self._covering(readers, dated)
        return Tape(window, end, self._scales(track, dated), track, stored, before, dated, carried)

    def _dated(self, window: SessionWindow, resolution: Resolution, reader: SeriesReader) -> DatedBars:
        period = midnight(period_start(window.day, resolution))
        current = reader.between(start=period, end=period + 1, limit=1)
        finished = tuple(reader.newest(end=period, limit=_DATED_KEPT))
        stretches = tuple(
            (part.window.start, part.window.end) for part in span_at(self.schedule, resolution, window.start).parts
        )
        return DatedBars(finished, current[0] if current else None, stretches)

    def _covering(self, readers: Readers, dated: Mapping[Resolution, DatedBars]) -> Track:
        """A day without intraday bars follows its day bar; or a longer one, where nothing finer is stored of its time.

        Of a day that is missing within a week, the week bar would tell how the week ends.
        """
        for resolution, bars in dated.items():
            if bars.current and not self._has_finer(readers, resolution, bars.current.time):
                return dated_track(resolution, bars.current, bars.stretches)
        return dated_track(None, None, ())

    def _has_finer(self, readers: Readers, resolution: Resolution, period: int) -> bool:
        finer = [readers[each] for each in _DATED[: _DATED.index(resolution)] if each in readers]
        end = period_end(resolution, period)
        return any(reader.between(start=period, end=end, limit=1) for reader in finer)

    def _carried(self, window: SessionWindow, readers: Readers) -> Carried | None:
        """How the last day before this one ended of which there are bars."""
        before = self.schedule.before(window)
        days = {self._last_day(before, resolution, reader) for resolution, reader in readers.items()} - {None}
        for day in sorted((day for day in days if day), key=lambda each: each.start, reverse=True):
            carried = self._read(day, readers, None).carry()
            if carried:
                return carried
        return None

    def _last_day(self, before: SessionWindow, resolution: Resolution, reader: SeriesReader) -> SessionWindow | None:
        """The last session, `before` or earlier, that bars of a resolution cover."""
        if resolution.minutes:
            found = _last_before(resolution, reader, self.schedule.after(before).start)
            return self.schedule.latest(found[0].time + _step(resolution) - 1) if found else None
        found = reader.newest(end=midnight(period_start(before.day, resolution)) + 1, limit=1)
        if not found:
            return None
        first = first_session(self.schedule, found[0].time)
        last = span_at(self.schedule, resolution, first.start).parts[-1].window
        return min(last, before, key=lambda each: each.start)

    def _scales(self, track: Track, dated: Mapping[Resolution, DatedBars]) -> Scales:
        """Enough for every bar that a tape adds up, and for the price step."""
        bars = [*track.bars, *(bar for each in dated.values() for bar in each.all())]
        step, step_scale = price_unit(self._instrument) or (1, 0)
        price = max((step_scale, *(bar.price_scale for bar in bars)))
        volume = max((self._instrument.volume_precision, *(bar.volume_scale for bar in bars)))
        return Scales(price, volume, step * 10 ** (price - step_scale))


def _step(resolution: Resolution) -> int:
    """The length of an intraday bar, ms."""
    assert resolution.minutes, "no dated bars here"
    return resolution.minutes * MINUTE_MS


def _of_day(resolution: Resolution, reader: SeriesReader, start: int, end: int) -> list[ScaledBar]:
    """The bars of a day; one that began before an opening and goes on after it belongs to the day that opens."""
    early = _step(resolution) - 1
    return reader.between(start=start - early, end=end - early, limit=_MOST_BARS)


def _last_before(resolution: Resolution, reader: SeriesReader, start: int) -> list[ScaledBar]:
    """The last bar of an earlier day, if there is one."""
    return reader.newest(end=start - _step(resolution) + 1, limit=1)
