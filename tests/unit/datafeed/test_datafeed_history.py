"""Which bars answer a request, against a plain filter, in memory and in SQLite."""

import json
from collections.abc import Sequence
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.datafeed_bars import ALWAYS, put
from support.store_urls import migrated_store

from trading_api.modules.datafeed.bars import history as history_module
from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.bar_text import bar_text
from trading_api.modules.datafeed.bars.history import (
    MAX_BARS,
    Between,
    History,
    Newest,
    RangeError,
    SeriesReader,
    TextReader,
    parse_range,
    select_history,
)
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.bars.texts import texts_of
from trading_api.modules.datafeed.resolution import Resolution

TIMES = st.lists(st.integers(-50, 50).map(lambda minute: minute * 60_000), unique=True, max_size=30)
BOUND = st.integers(-60 * 60, 60 * 60)


class ListSeries:
    """The contract of SeriesReader, in its plainest form."""

    def __init__(self, bars: Sequence[ScaledBar]) -> None:
        self._bars = sorted(bars)

    def newest(self, *, end: int | None, limit: int) -> list[ScaledBar]:
        return [bar for bar in self._bars if end is None or bar.time < end][-limit:]

    def between(self, *, start: int, end: int | None, limit: int) -> list[ScaledBar]:
        return [bar for bar in self._bars if start <= bar.time and (end is None or bar.time < end)][:limit]


def bar_at(time: int) -> ScaledBar:
    return ScaledBar(time, 2, 100, 120, 90, 110, 0, 5)


def stored_series(store: BarStore, bars: Sequence[ScaledBar]) -> SeriesReader:
    put(store, Resolution.MINUTE_1, bars)
    return store.series(SeriesKey(ALWAYS.name, Resolution.MINUTE_1))


def in_memory(*times: int) -> TextReader:
    return texts_of(ListSeries([bar_at(time) for time in times]))


def times_of(history: History) -> list[int]:
    return [bar["time"] for bar in json.loads(b"[%b]" % history.bars.text)]


def test_D01_reversed_range_is_refused() -> None:
    with pytest.raises(RangeError, match="from_time 10 is after to_time 5"):
        parse_range(10, 5, None)


def test_D01_range_without_start_or_count_is_refused() -> None:
    with pytest.raises(RangeError, match="give from_time, or count_back"):
        parse_range(None, 5, None)


@pytest.mark.parametrize("count", [0, -1, MAX_BARS + 1])
def test_D01_count_back_is_bounded(count: int) -> None:
    with pytest.raises(RangeError, match="1 to 20000"):
        parse_range(None, 5, count)


def test_D01_range_with_too_many_bars_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_module, "MAX_BARS", 3)
    series = in_memory(*range(5))
    assert select_history(series, Between(0, 3)).bars.count == 3
    with pytest.raises(RangeError, match="more than 3 bars"):
        select_history(series, Between(0, 4))


def test_D01_times_from_1e11_on_are_ms() -> None:
    assert parse_range(1704067200, 1704067200000, None) == Between(1704067200000, 1704067200000)
    assert parse_range(99_999_999_999, None, None) == Between(99_999_999_999_000, None)
    assert parse_range(-1704067200, None, None) == Between(-1704067200000, None)


def test_D01_count_back_outranks_from() -> None:
    series = in_memory(1000, 2000, 3000, 4000)
    wanted = parse_range(3, 4, 3)
    assert wanted == Newest(3, 4000)
    assert times_of(select_history(series, wanted)) == [1000, 2000, 3000]


def test_D01_empty_range_names_the_next_older_bar() -> None:
    found = select_history(in_memory(1000, 2000, 90_000), Between(3000, 80_000))
    assert (times_of(found), found.next_time, found.no_data) == ([], 2000, False)


def test_D01_no_data_only_when_nothing_older_exists() -> None:
    series = in_memory(5000)
    assert select_history(series, Between(0, 5000)).no_data
    assert select_history(series, Newest(1, 5000)).no_data
    assert not select_history(series, Between(5000, 5001)).no_data
    assert not select_history(series, Between(5001, None)).no_data


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(times=TIMES, one=BOUND, other=BOUND, count=st.one_of(st.none(), st.integers(1, 40)))
def test_D01_selection_equals_a_plain_filter(
    times: list[int], one: int, other: int, count: int | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    start, end = sorted((one, other))
    bars = sorted(bar_at(time) for time in times)
    before_end = [bar for bar in bars if bar.time < end * 1000]
    expected = before_end[-count:] if count else [bar for bar in before_end if bar.time >= start * 1000]
    older = [] if count or expected else [bar.time for bar in bars if bar.time < start * 1000]
    with (
        migrated_store("sqlite", tmp_path_factory.mktemp("store")) as url,
        closing(open_store(url)) as store,
    ):
        for series in (ListSeries(bars), stored_series(store, bars)):
            found = select_history(texts_of(series), parse_range(start, end, count))
            assert found.bars == bar_text(expected)
            assert found.next_time == (older[-1] if older else None)
            assert found.no_data == (not expected and not older)
