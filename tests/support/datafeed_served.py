"""What a store must serve after some imports: computed from scratch, all in memory, as the rules are written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hypothesis import strategies as st
from support.datafeed_bars import ALWAYS, DAY, MINUTE, NEW_YORK, at, bar

from trading_api.modules.datafeed.bars.aggregation import aggregate
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

Import = tuple[Resolution, list[ScaledBar]]
Bars = dict[int, ScaledBar]

# The clocks of New York and Chicago change on Sunday the 10th; ES trades overnight, with an hour's pause.
MONDAY = at("2024-03-04")
INSTRUMENTS = (
    ALWAYS,
    NEW_YORK,
    replace(NEW_YORK, session="24x7"),
    replace(NEW_YORK, session="1700-1600", timezone="America/Chicago", calendar="CMES"),
)
_SOURCES = {
    Resolution.MINUTE_3: ("1",),
    Resolution.MINUTE_5: ("1",),
    Resolution.MINUTE_15: ("5", "3"),
    Resolution.MINUTE_30: ("15",),
    Resolution.MINUTE_60: ("30",),
    Resolution.MINUTE_120: ("60",),
    Resolution.MINUTE_240: ("120",),
    Resolution.DAY: ("240",),
    Resolution.WEEK: ("1D",),
    Resolution.MONTH: ("1D",),
}


def must_serve(imports: Iterable[Import], instrument: Instrument) -> dict[Resolution, Sequence[ScaledBar]]:
    """By resolution, in the order of time; a later import replaces bars of an earlier one."""
    imported: dict[Resolution, Bars] = {}
    for resolution, bars in imports:
        imported.setdefault(resolution, {}).update({one.time: one for one in bars})
    served: dict[Resolution, Bars] = {}
    for resolution in Resolution:
        computed = _computed(resolution, served, Schedule.of(instrument))
        kept = imported.get(resolution, {})
        visible = {time: one for time, one in kept.items() if not _overlapped(time, computed, resolution)}
        if kept or computed:
            served[resolution] = {**visible, **computed}
    return {resolution: [bars[time] for time in sorted(bars)] for resolution, bars in served.items()}


def _computed(target: Resolution, served: Mapping[Resolution, Bars], schedule: Schedule) -> Bars:
    found: Bars = {}
    for name in reversed(_SOURCES.get(target, ())):
        source = Resolution(name)
        bars = served.get(source, {})
        ascending = [bars[time] for time in sorted(bars)]
        found.update({one.time: one for one in aggregate(ascending, schedule, source, target)})
    return found


def _overlapped(time: int, computed: Iterable[int], resolution: Resolution) -> bool:
    length = resolution.minutes * MINUTE if resolution.minutes else 1
    return any(abs(time - other) < length for other in computed)


@st.composite
def imports(draw: st.DrawFn) -> Import:
    """A few bars of one resolution within three weeks; hours and the like on the hour of UTC, whatever the session."""
    resolution = draw(st.sampled_from(Resolution))
    times = draw(st.lists(_times(resolution), min_size=1, max_size=8, unique=True))
    return resolution, [bar(time, draw(st.integers(5, 30)), draw(st.integers(0, 3))) for time in times]


def _times(resolution: Resolution) -> st.SearchStrategy[int]:
    if resolution.minutes is not None:
        step = resolution.minutes
        # Half of them close together, so that they meet.
        near = st.integers(14 * 60 // step, 16 * 60 // step)
        minutes = st.one_of(near, st.integers(0, 24 * 60 // step - 1)).map(lambda number: number * step * MINUTE)
        return st.tuples(st.sampled_from([0, 1, 4, 6, 7, 15]), minutes).map(
            lambda pair: MONDAY + pair[0] * DAY + pair[1]
        )
    if resolution is Resolution.MONTH:
        return st.integers(1, 4).map(lambda month: at(f"2024-{month:02d}-01"))
    if resolution is Resolution.WEEK:
        return st.integers(-2, 3).map(lambda week: MONDAY + 7 * week * DAY)
    return st.integers(-7, 20).map(lambda day: MONDAY + day * DAY)
