"""Coarser bars in the store: computed at the commit, the same in whatever order files come."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from support.datafeed_bars import ALWAYS, MINUTE, NEW_YORK, all_served, at, bar, put, served
from support.datafeed_served import INSTRUMENTS, Import, imports, must_serve
from support.heavy import HEAVY
from support.store_urls import migrated_store

from trading_api.modules.datafeed import tables
from trading_api.modules.datafeed.bars.aggregation import aggregate
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.rollups import coarser_than, direct_sources
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.shared.store.engine import writing

R = Resolution
OPEN = at("2024-03-08 14:30")
"""Friday before the clocks change in New York."""
MONDAY_OPEN = at("2024-03-11 13:30")


@contextmanager
def fresh_store() -> Iterator[BarStore]:
    with (
        TemporaryDirectory() as folder,
        migrated_store("sqlite", Path(folder)) as url,
        closing(open_store(url)) as store,
    ):
        yield store


def test_D02_minutes_become_every_coarser_resolution(store: BarStore) -> None:
    minutes = [bar(start + minute * MINUTE, 10 + minute % 7) for start in (OPEN, MONDAY_OPEN) for minute in range(390)]
    put(store, R.MINUTE_1, minutes, NEW_YORK)
    assert store.resolutions() == {"ABC": tuple(R)}
    assert store.resolutions_of("ABC") == tuple(R)
    found = all_served(store)
    for target in R:
        expected = list(aggregate(minutes, Schedule.of(NEW_YORK), R.MINUTE_1, target))
        assert list(found[target]) == expected, target
    assert [one.time for one in found[R.DAY]] == [at("2024-03-08"), at("2024-03-11")]
    assert [one.time for one in found[R.MINUTE_240]] == [
        OPEN,
        OPEN + 4 * 60 * MINUTE,
        MONDAY_OPEN,
        MONDAY_OPEN + 240 * MINUTE,
    ]
    assert sum(one.volume for one in found[R.MONTH]) == 780


def test_D02_what_is_finer_than_all_that_was_imported_does_not_exist(store: BarStore) -> None:
    put(store, R.MINUTE_3, [bar(OPEN)], NEW_YORK)
    assert store.resolutions_of("ABC") == tuple(one for one in R if one not in {R.MINUTE_1, R.MINUTE_5})
    assert served(store, R.MINUTE_1) == []
    put(store, R.WEEK, [bar(at("2024-03-04"))], replace(NEW_YORK, name="XYZ"))
    assert store.resolutions()["XYZ"] == (R.WEEK,)


def test_D02_bars_outside_the_session_are_kept_and_left_out_of_coarser_ones(store: BarStore) -> None:
    early, inside = bar(at("2024-03-08 13:00"), 90), bar(OPEN)
    put(store, R.MINUTE_1, [early, inside], NEW_YORK)
    assert list(served(store, R.MINUTE_1)) == [early, inside]
    assert list(served(store, R.DAY)) == [inside._replace(time=at("2024-03-08"))]
    put(store, R.MINUTE_1, [early], replace(NEW_YORK, name="EARLY"))
    assert store.resolutions_of("EARLY") == (R.MINUTE_1,)


def test_D02_computed_bars_outrank_imported_ones_where_there_are_any(store: BarStore) -> None:
    days = [bar(at("2024-03-07"), 50), bar(at("2024-03-08"), 50)]
    put(store, R.DAY, days, NEW_YORK)
    put(store, R.MINUTE_30, [bar(OPEN)], NEW_YORK)
    assert list(served(store, R.DAY)) == [days[0], bar(at("2024-03-08"))]
    (week,) = served(store, R.WEEK)
    assert (week.open, week.close, week.volume) == (50, 11, 2)


def test_D02_hourly_bars_of_another_grid_do_not_stand_beside_computed_ones(store: BarStore) -> None:
    """Some vendors begin hours with the hour, the computed ones begin with the session: both would overlap."""
    hours = [bar(at(f"2024-03-{day} {hour}:00"), 50) for day in ("07", "08") for hour in (15, 16, 17)]
    put(store, R.MINUTE_60, hours, NEW_YORK)
    assert list(served(store, R.MINUTE_60)) == hours
    put(store, R.MINUTE_30, [bar(at("2024-03-08 15:30"))], NEW_YORK)
    assert list(served(store, R.MINUTE_60)) == [*hours[:3], bar(at("2024-03-08 15:30")), hours[5]]
    assert [one.volume for one in served(store, R.DAY)] == [3, 2]


def test_D02_replaced_bars_change_what_follows_from_them(store: BarStore) -> None:
    first, second = bar(OPEN, 20), bar(OPEN + MINUTE, 30)
    put(store, R.MINUTE_1, [first, second], NEW_YORK)
    comparison = put(store, R.MINUTE_1, [second._replace(high=99)], NEW_YORK)
    assert comparison.changed.count == 1
    for resolution in coarser_than(R.MINUTE_1):
        assert [(one.high, one.volume) for one in served(store, resolution)] == [(99, 2)], resolution


def test_D02_importing_again_changes_nothing(store: BarStore) -> None:
    minutes = [bar(OPEN + minute * MINUTE) for minute in range(100)]
    put(store, R.MINUTE_1, minutes, NEW_YORK)
    before = all_served(store)
    comparison = put(store, R.MINUTE_1, minutes, NEW_YORK)
    assert (comparison.inserted, comparison.unchanged, comparison.changed.count) == (0, 100, 0)
    assert all_served(store) == before


def test_D02_rebuild_follows_a_changed_session(store: BarStore) -> None:
    minutes = [bar(OPEN + minute * MINUTE, 10 + minute) for minute in (-30, 0, 30)]
    put(store, R.MINUTE_1, minutes, NEW_YORK)
    put(store, R.WEEK, [bar(at("2024-02-26"))], NEW_YORK)
    assert [one.volume for one in served(store, R.DAY)] == [2]
    longer = replace(NEW_YORK, session="0900-1600")
    store.rebuild(longer)
    with fresh_store() as expected:
        put(expected, R.WEEK, [bar(at("2024-02-26"))], longer)
        put(expected, R.MINUTE_1, minutes, longer)
        assert all_served(store) == all_served(expected)
    assert [one.volume for one in served(store, R.DAY)] == [3]


def test_D02_rebuild_is_seen_by_the_connection_that_did_it(store: BarStore) -> None:
    put(store, R.MINUTE_1, [bar(at("2024-03-08 03:00"))], NEW_YORK)
    assert store.resolutions() == {"ABC": (R.MINUTE_1,)}
    store.rebuild(ALWAYS)
    assert store.resolutions() == {"ABC": tuple(R)}


def forget_computed(store: BarStore) -> None:
    """As in a store that was made before there were computed bars."""
    with writing(store.engine) as connection:
        connection.execute(
            delete(tables.bars).where(
                tables.bars.c.series_id.in_(select(tables.series.c.id).where(tables.series.c.derived))
            )
        )
        connection.execute(delete(tables.series).where(tables.series.c.derived))


@pytest.mark.parametrize("again", [[bar(OPEN)], [bar(MONDAY_OPEN)]])
def test_D02_bars_of_an_older_store_are_followed_by_the_next_import(again: list[ScaledBar], store: BarStore) -> None:
    put(store, R.MINUTE_1, [bar(OPEN)], NEW_YORK)
    forget_computed(store)
    assert store.resolutions_of("ABC") == (R.MINUTE_1,)
    put(store, R.MINUTE_1, again, NEW_YORK)
    assert all_served(store) == must_serve([(R.MINUTE_1, [bar(OPEN), *again])], NEW_YORK)


def test_D02_bars_of_an_older_store_are_followed_when_asked(store: BarStore) -> None:
    for name in ("ABC", "LOST"):
        put(store, R.MINUTE_1, [bar(OPEN)], replace(NEW_YORK, name=name))
    put(store, R.WEEK, [bar(at("2024-03-04"))], replace(NEW_YORK, name="COARSE"))
    before = all_served(store)
    assert store.rebuild_missing(lambda _: None) == []
    forget_computed(store)
    known = {"ABC": NEW_YORK}
    assert store.rebuild_missing(lambda symbol: known.get(symbol)) == ["ABC"]
    assert all_served(store) == before
    assert store.resolutions_of("LOST") == (R.MINUTE_1,)
    assert store.rebuild_missing(lambda symbol: known.get(symbol)) == []


def test_D02_rebuild_of_what_has_no_bars_does_nothing(store: BarStore) -> None:
    store.rebuild(NEW_YORK)
    assert store.resolutions() == {}


def test_D02_a_session_that_cannot_be_read_leaves_the_store_as_it_was(store: BarStore) -> None:
    put(store, R.MINUTE_1, [bar(OPEN)], NEW_YORK)
    before = all_served(store)
    broken = replace(NEW_YORK, session="nonsense")
    for attempt in (lambda: store.rebuild(broken), lambda: put(store, R.MINUTE_1, [bar(OPEN + MINUTE)], broken)):
        with pytest.raises(ValueError, match="session 'nonsense'"):
            attempt()
        assert all_served(store) == before


def test_D02_a_sum_that_no_column_holds_is_refused(store: BarStore) -> None:
    huge = 10**18 - 1
    with pytest.raises(ValueError, match="more than 18 digits"):
        put(store, R.MINUTE_1, [bar(OPEN, volume=huge), bar(OPEN + MINUTE, volume=huge)], NEW_YORK)
    assert store.resolutions() == {}


def test_D02_the_stored_session_counts_not_the_one_an_import_began_with(store: BarStore) -> None:
    put(store, R.DAY, [bar(at("2024-03-07"))], NEW_YORK, new=True)
    put(store, R.MINUTE_1, [bar(OPEN - MINUTE), bar(OPEN)], replace(NEW_YORK, session="24x7"), new=True)
    assert [one.volume for one in served(store, R.DAY)] == [1, 1]
    assert InstrumentStore(store.engine).all() == [NEW_YORK]


def test_D02_progress_only_grows_and_ends_at_one(store: BarStore) -> None:
    told: list[float] = []
    with store.staging(key := SeriesKey("ABC", R.MINUTE_1)) as staging:
        staging.add([(line, bar(OPEN + line * MINUTE)) for line in range(50_000)])
        staging.merge(limit=1)
        staging.compare(limit=1, lock=True)
        staging.commit(ALWAYS, new=True, progress=told.append)
    assert key.symbol == "ABC"
    assert told == sorted(told)
    assert told[-1] == 1


def test_D02_sources_are_the_nearest_finer_resolutions() -> None:
    assert {target: direct_sources(target) for target in R} == {
        R.MINUTE_1: (),
        R.MINUTE_3: (R.MINUTE_1,),
        R.MINUTE_5: (R.MINUTE_1,),
        R.MINUTE_15: (R.MINUTE_5, R.MINUTE_3),
        R.MINUTE_30: (R.MINUTE_15,),
        R.MINUTE_60: (R.MINUTE_30,),
        R.MINUTE_120: (R.MINUTE_60,),
        R.MINUTE_240: (R.MINUTE_120,),
        R.DAY: (R.MINUTE_240,),
        R.WEEK: (R.DAY,),
        R.MONTH: (R.DAY,),
    }
    assert coarser_than(R.MINUTE_3) == tuple(one for one in R if one not in {R.MINUTE_1, R.MINUTE_3, R.MINUTE_5})
    assert coarser_than(R.WEEK) == coarser_than(R.MONTH) == ()


@pytest.mark.slow
@HEAVY
@given(files=st.lists(imports(), min_size=1, max_size=5), instrument=st.sampled_from(INSTRUMENTS))
def test_D02_served_bars_do_not_depend_on_the_order_of_imports(files: list[Import], instrument: Instrument) -> None:
    """Whatever came when: what is served is what one computes from all that was imported."""
    with fresh_store() as store:
        for resolution, bars in files:
            put(store, resolution, bars, instrument)
        assert all_served(store) == must_serve(files, instrument)
        store.rebuild(instrument)
        assert all_served(store) == must_serve(files, instrument)


def test_D02_every_order_of_three_files_ends_the_same() -> None:
    files: list[Import] = [
        (R.MINUTE_3, [bar(OPEN + minute * MINUTE, minute + 5) for minute in range(0, 60, 3)]),
        (R.MINUTE_5, [bar(OPEN + minute * MINUTE, minute + 6) for minute in range(15, 45, 5)]),
        (R.MINUTE_1, [bar(OPEN + minute * MINUTE, minute + 7) for minute in range(20, 31)]),
    ]
    outcomes = []
    for order in permutations(files):
        with fresh_store() as store:
            for resolution, bars in order:
                put(store, resolution, bars, NEW_YORK)
            outcomes.append(all_served(store))
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0] == must_serve(files, NEW_YORK)
