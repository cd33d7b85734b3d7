"""The store of bars in both databases: exactness, and what several users of it see."""

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from decimal import Decimal
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event
from support.datafeed_bars import ALWAYS, DAY, MINUTE, all_served, at, bar, put, served
from support.datafeed_served import INSTRUMENTS, Import, imports, must_serve

from trading_api.modules.datafeed.bars.bar import ScaledBar, make_bar
from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.bar_text import NO_BARS, bar_text
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.bars.texts import texts_of
from trading_api.modules.datafeed.decimals import parse_scaled, scaled_text
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.resolution import Resolution

pytestmark = pytest.mark.integration

R = Resolution
KEY = SeriesKey("ABC", R.DAY)
NUMBER = st.decimals(0, 10**9, places=8, allow_nan=False, allow_infinity=False)
# The store of a test serves all its examples, each with a symbol of its own.
SHARED = [HealthCheck.function_scoped_fixture]
_symbols = map("S{}".format, itertools.count())


@contextmanager
def statements(store: BarStore, part: str) -> Iterator[list[str]]:
    """The statements executed within the block that contain `part`."""
    found: list[str] = []

    def note(*arguments: object) -> None:
        if part in str(arguments[2]):
            found.append(str(arguments[2]))

    event.listen(store.engine, "before_cursor_execute", note)
    yield found
    event.remove(store.engine, "before_cursor_execute", note)


def test_D02_empty_store_reads_as_empty_and_the_first_import_makes_it(empty_store_url: str) -> None:
    with closing(open_store(empty_store_url)) as store:
        with store.staging(KEY) as staging:
            staging.add([(2, bar(0))])
            staging.merge(limit=1)
            assert staging.compare(limit=1, lock=False).inserted == 1
        assert (store.resolutions(), store.resolutions_of("ABC"), served(store, R.DAY)) == ({}, (), [])
        put(store, R.DAY, [bar(0)])
        assert served(store, R.DAY) == [bar(0)]


@settings(max_examples=30, deadline=None, suppress_health_check=SHARED)
@given(prices=st.lists(NUMBER, min_size=4, max_size=4), volume=NUMBER, time=st.integers(-(10**12), 10**13))
def test_D02_round_trip_through_the_store_is_exact(
    prices: list[Decimal], volume: Decimal, time: int, bar_store: BarStore
) -> None:
    symbol = next(_symbols)
    written = make_bar(time, [parse_scaled(f"{price:f}") for price in prices], parse_scaled(f"{volume:f}"))
    put(bar_store, R.WEEK, [written], replace(ALWAYS, name=symbol))
    (found,) = served(bar_store, R.WEEK, symbol)
    read = [Decimal(scaled_text(each, found.price_scale)) for each in (found.open, found.high, found.low, found.close)]
    assert found.time == time
    assert read == prices
    assert Decimal(scaled_text(found.volume, found.volume_scale)) == volume


@settings(max_examples=12, deadline=None, suppress_health_check=SHARED)
@given(files=st.lists(imports(), min_size=1, max_size=4), instrument=st.sampled_from(INSTRUMENTS))
def test_D02_served_bars_do_not_depend_on_the_order_of_imports(
    files: list[Import], instrument: Instrument, bar_store: BarStore
) -> None:
    own = replace(instrument, name=next(_symbols))
    for resolution, bars in files:
        put(bar_store, resolution, bars, own)
    assert all_served(bar_store, own.name) == must_serve(files, own)
    bar_store.rebuild(own)
    assert all_served(bar_store, own.name) == must_serve(files, own)


def test_D02_ranges_are_read_in_order_and_by_their_limits(bar_store: BarStore) -> None:
    days = [bar(day * DAY) for day in range(20)]
    put(bar_store, R.DAY, days)
    put(bar_store, R.MINUTE_240, [bar(5 * DAY), bar(5 * DAY + 240 * MINUTE)])
    days[5] = days[5]._replace(volume=2)
    series = bar_store.series(KEY)
    assert series.newest(end=None, limit=100) == days
    assert series.newest(end=7 * DAY, limit=3) == days[4:7]
    assert series.newest(end=0, limit=3) == []
    assert series.between(start=4 * DAY, end=7 * DAY, limit=100) == days[4:7]
    assert series.between(start=4 * DAY + 1, end=None, limit=2) == days[5:7]
    assert series.between(start=7 * DAY, end=7 * DAY, limit=2) == []


def test_D01_both_databases_tell_bars_of_mixed_decimals_as_the_same_text(bar_store: BarStore) -> None:
    bars = [ScaledBar(number * MINUTE, number, 7, 9, 5, 8, 3 - number, 25) for number in range(4)]
    put(bar_store, R.MINUTE_1, bars)
    texts = texts_of(bar_store.series(SeriesKey(ALWAYS.name, R.MINUTE_1)))
    assert texts.between(start=MINUTE, end=3 * MINUTE, limit=9) == bar_text(bars[1:3])
    assert texts.newest(end=None, limit=3) == bar_text(bars[1:])
    assert texts.newest(end=0, limit=3) == NO_BARS
    assert bar_text(bars[2:3]).text == (b'{"time":120000,"open":0.07,"high":0.09,"low":0.05,"close":0.08,"volume":2.5}')


def test_D02_repeats_and_contradictions_within_a_file_are_told_apart(bar_store: BarStore) -> None:
    with bar_store.staging(KEY) as staging:
        staging.add([(5, bar(DAY, 20)), (2, bar(DAY)), (3, bar(0)), (4, bar(DAY)), (9, bar(DAY, 30))])
        merge = staging.merge(limit=1)
        assert (merge.merged, merge.contradictions.count) == (1, 2)
        (first,) = merge.contradictions.first
        assert (first.line, first.bar, first.other_line, first.other) == (5, bar(DAY, 20), 2, bar(DAY))
        assert staging.compare(limit=1, lock=True).inserted == 2
        staging.commit(ALWAYS, new=False)
    assert served(bar_store, R.DAY) == [bar(0), bar(DAY)]


def test_D02_changes_of_the_store_are_listed_before_they_are_made(bar_store: BarStore) -> None:
    put(bar_store, R.DAY, [bar(0), bar(DAY), bar(2 * DAY)])
    comparison = put(bar_store, R.DAY, [bar(0), bar(DAY, 20), bar(2 * DAY, 30), bar(3 * DAY)])
    assert (comparison.inserted, comparison.unchanged, comparison.changed.count) == (1, 1, 2)
    assert [(one.line, one.bar, one.other_line, one.other) for one in comparison.changed.first] == [
        (3, bar(DAY, 20), None, bar(DAY)),
        (4, bar(2 * DAY, 30), None, bar(2 * DAY)),
    ]
    assert served(bar_store, R.DAY) == [bar(0), bar(DAY, 20), bar(2 * DAY, 30), bar(3 * DAY)]


def test_D02_leaving_without_commit_writes_nothing(bar_store: BarStore) -> None:
    put(bar_store, R.DAY, [bar(0)])
    with bar_store.staging(KEY) as staging:
        staging.add([(1, bar(DAY))])
        staging.merge(limit=1)
        assert staging.compare(limit=1, lock=True).inserted == 1
    assert served(bar_store, R.DAY) == [bar(0)]
    put(bar_store, R.DAY, [bar(2 * DAY)])
    assert served(bar_store, R.DAY) == [bar(0), bar(2 * DAY)]


def test_D02_finer_precision_of_a_known_instrument_wins(bar_store: BarStore) -> None:
    put(bar_store, R.DAY, [bar(0)], replace(ALWAYS, exchange="X", pricescale=1000, volume_precision=2), new=True)
    put(bar_store, R.DAY, [bar(0)], replace(ALWAYS, exchange="Y", pricescale=100, volume_precision=4), new=True)
    (kept,) = InstrumentStore(bar_store.engine).all()
    assert (kept.exchange, kept.pricescale, kept.volume_precision) == ("X", 1000, 4)


def test_D02_resolutions_are_read_again_only_when_series_come(bar_store: BarStore, store_url: str) -> None:
    put(bar_store, R.WEEK, [bar(4 * DAY)])
    assert bar_store.resolutions() == {"ABC": (R.WEEK,)}
    with closing(open_store(store_url)) as other, statements(bar_store, "series.symbol, series.resolution") as read:
        put(other, R.WEEK, [bar(11 * DAY)])
        assert bar_store.resolutions() == {"ABC": (R.WEEK,)}
        assert read == []
        put(other, R.WEEK, [bar(4 * DAY)], replace(ALWAYS, name="XYZ"))
        assert bar_store.resolutions() == {"ABC": (R.WEEK,), "XYZ": (R.WEEK,)}
        assert len(read) == 1


def test_D02_readers_see_nothing_of_an_import_before_its_commit(bar_store: BarStore, store_url: str) -> None:
    seen: list[object] = []
    with closing(open_store(store_url)) as reader, bar_store.staging(SeriesKey("ABC", R.MINUTE_1)) as staging:
        staging.add([(line, bar(line * MINUTE)) for line in range(100)])
        staging.merge(limit=1)
        staging.compare(limit=1, lock=True)
        staging.commit(ALWAYS, new=True, progress=lambda _: seen.append((reader.resolutions(), all_served(reader))))
        assert seen
        assert all(each == ({}, {}) for each in seen)
        assert reader.resolutions() == {"ABC": tuple(R)}


@pytest.mark.parametrize("symbols", [("ABC", "ABC"), ("ABC", "XYZ")])
def test_D02_two_imports_at_once_both_arrive(symbols: tuple[str, str], bar_store: BarStore, store_url: str) -> None:
    start = Barrier(2)
    files = [[bar(at("2024-01-01") + (2 * n + own) * MINUTE, own + 10) for n in range(2000)] for own in (0, 1)]

    def run(symbol: str, bars: list[ScaledBar]) -> None:
        with closing(open_store(store_url)) as own:
            start.wait(timeout=60)
            put(own, R.MINUTE_1, bars, replace(ALWAYS, name=symbol), new=True)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, symbols, files))
    for symbol in symbols:
        own: list[Import] = [(R.MINUTE_1, bars) for name, bars in zip(symbols, files, strict=True) if name == symbol]
        assert all_served(bar_store, symbol) == must_serve(own, ALWAYS)


def test_D02_many_threads_read_at_once(bar_store: BarStore) -> None:
    days = [bar(day * DAY) for day in range(100)]
    put(bar_store, R.DAY, days)
    with ThreadPoolExecutor(12) as pool:
        for found in pool.map(lambda _: served(bar_store, R.DAY), range(200)):
            assert found == days
