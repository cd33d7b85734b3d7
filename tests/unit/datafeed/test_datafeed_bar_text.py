"""The text that SQLite writes of stored bars, against the one that is written from the bars."""

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert
from support.store_urls import migrated_store

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_store import BarStore, open_store
from trading_api.modules.datafeed.bars.bar_text import NO_BARS, bar_text
from trading_api.modules.datafeed.bars.history import SeriesReader
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.bars.stored_text import StoredText
from trading_api.modules.datafeed.bars.texts import texts_of
from trading_api.modules.datafeed.resolution import Resolution
from trading_api.modules.datafeed.tables import bars as bars_table
from trading_api.modules.datafeed.tables import series as series_table
from trading_api.shared.store.engine import writing

MINUTE, LARGEST = 60_000, 10**18 - 1
IMPORTED, DERIVED = 1, 2
NUMBERS = st.one_of(st.integers(0, LARGEST), st.integers(0, 12_345))
SCALES = st.one_of(st.integers(0, 18), st.just(2))
TIMES = st.integers(-40, 40).map(lambda minute: minute * MINUTE)
BARS = st.lists(
    st.builds(ScaledBar, TIMES, SCALES, NUMBERS, NUMBERS, NUMBERS, NUMBERS, SCALES, NUMBERS),
    unique_by=lambda bar: bar.time,
    max_size=12,
)
BOUNDS = st.one_of(st.none(), st.integers(-45 * MINUTE, 45 * MINUTE))
KEY = SeriesKey("ABC", Resolution.MINUTE_1)


@dataclass(frozen=True)
class Stored:
    """A store whose bars of one series are set, as no import could: also with numbers that never were prices."""

    store: BarStore

    def put(self, imported: Sequence[ScaledBar], derived: Sequence[ScaledBar]) -> SeriesReader:
        with writing(self.store.engine) as connection:
            connection.execute(delete(bars_table))
            connection.execute(delete(series_table))
            for number, bars in ((IMPORTED, imported), (DERIVED, derived)):
                if not bars:
                    continue
                head = {"id": number, "symbol": KEY.symbol, "resolution": KEY.resolution, "derived": number == DERIVED}
                connection.execute(insert(series_table).values(head))
                connection.execute(insert(bars_table), [_row(number, bar) for bar in bars])
        return self.store.series(KEY)


def _row(number: int, bar: ScaledBar) -> dict[str, int]:
    fields = bar._asdict()
    return {"series_id": number, "time_ms": fields.pop("time"), **fields}


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stored]:
    with migrated_store("sqlite", tmp_path_factory.mktemp("store")) as url, closing(open_store(url)) as store:
        yield Stored(store)


def _same_bar(scale: int, number: int, time: int) -> ScaledBar:
    return ScaledBar(time, scale, number, number, number, number, scale, number)


@settings(max_examples=80, deadline=None)
@given(imported=BARS, derived=BARS, start=st.integers(-45 * MINUTE, 45 * MINUTE), end=BOUNDS, limit=st.integers(1, 15))
@example(imported=[_same_bar(18, LARGEST, 0), _same_bar(0, LARGEST, MINUTE)], derived=[], start=0, end=None, limit=9)
@example(imported=[_same_bar(0, 7, 0)], derived=[_same_bar(3, 5, MINUTE)], start=0, end=None, limit=9)
def test_D01_a_store_writes_what_is_written_from_its_bars(
    imported: list[ScaledBar], derived: list[ScaledBar], start: int, end: int | None, limit: int, stored: Stored
) -> None:
    series = stored.put(imported, derived)
    texts = texts_of(series)
    assert isinstance(texts, StoredText)
    newest = texts.newest(end=end, limit=limit)
    assert newest == bar_text(series.newest(end=end, limit=limit))
    assert texts.between(start=start, end=end, limit=limit) == bar_text(
        series.between(start=start, end=end, limit=limit)
    )
    assert len(json.loads(b"[%b]" % newest.text, parse_float=Decimal)) == newest.count


def test_D01_thousands_of_bars_are_written_in_order(stored: Stored) -> None:
    bars = [ScaledBar(number * MINUTE, number % 3, number, number, number, number, 0, 1) for number in range(4000)]
    texts = texts_of(stored.put(bars[::2], bars[1::2]))
    assert texts.newest(end=None, limit=3000) == bar_text(bars[1000:])
    assert texts.between(start=0, end=None, limit=3000) == bar_text(bars[:3000])


def test_D01_no_store_and_no_series_are_no_bars(stored: Stored, engine_without_file: Engine) -> None:
    for engine in (engine_without_file, stored.store.engine):
        assert StoredText(engine, SeriesKey("NONE", Resolution.DAY)).newest(end=None, limit=5) == NO_BARS


@pytest.fixture
def engine_without_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with closing(open_store(f"sqlite:///{tmp_path_factory.mktemp('none') / 'none.db'}")) as store:
        yield store.engine
