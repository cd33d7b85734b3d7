"""Every kind of feed keeps the same promises (D02). Each is brought to the times of a week with a change to DST."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine
from support.feed_beds import CATALOGUE, END, KINDS, SYMBOLS, FeedBed, feed_bed, ms

from trading_api.modules.datafeed.bars.aggregation import aggregate
from trading_api.modules.datafeed.bars.bar import ScaledBar, bar_problems
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.schedule import Schedule
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.resolution import Resolution

AAPL, BTC, ES = (CATALOGUE[symbol] for symbol in SYMBOLS)
MONTH = ms("2024-03-01T00:00:00")
# Around an opening, a closing and a weekend: seconds, minutes and hours apart.
TIMES = [
    ms(text)
    for text in (
        "2024-03-08T14:29:59",
        "2024-03-08T14:30:00",
        "2024-03-08T14:30:01",
        "2024-03-08T14:30:41",
        "2024-03-08T14:31:00",
        "2024-03-08T14:59:59",
        "2024-03-08T16:07:11",
        "2024-03-08T20:59:59",
        "2024-03-08T21:00:00",
        "2024-03-09T09:00:00",
        "2024-03-09T23:00:00",
        "2024-03-10T13:00:00",
        "2024-03-10T23:00:00",
        "2024-03-11T13:29:59",
        "2024-03-11T13:30:00",
        "2024-03-11T13:47:31",
        "2024-03-11T18:00:03",
        "2024-03-12T08:00:00",
        "2024-03-12T13:30:05",
        "2024-03-12T15:12:59",
    )
]


@pytest.fixture(params=KINDS)
def bed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FeedBed]:
    with feed_bed(request.param, tmp_path) as found:
        yield found


def numbers(bar: ScaledBar) -> tuple[int, Decimal, Decimal, Decimal, Decimal, Decimal]:
    """A bar's values, whatever scale they are written at."""
    price, volume = -bar.price_scale, -bar.volume_scale
    opened, high, low, closed = (Decimal(each).scaleb(price) for each in (bar.open, bar.high, bar.low, bar.close))
    return bar.time, opened, high, low, closed, Decimal(bar.volume).scaleb(volume)


def last(quote: Quote) -> Decimal:
    return Decimal(quote.last).scaleb(-quote.price_scale)


def walk(bed: FeedBed, instrument: Instrument, times: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Time and moment of each step."""
    for time in times:
        yield time, bed.go(time, instrument)


def offered(bed: FeedBed, instrument: Instrument) -> tuple[Resolution, ...]:
    return bed.source.resolutions(instrument)


@pytest.mark.parametrize("instrument", [AAPL, BTC, ES], ids=SYMBOLS)
def test_D02_quotes_are_in_order_and_time_never_goes_back(bed: FeedBed, instrument: Instrument) -> None:
    quotes = [bed.source.quote(instrument, moment) for _, moment in walk(bed, instrument, TIMES)]
    seen = [quote for quote in quotes if quote is not None]
    assert len(seen) >= len(TIMES) - 2
    for time, quote in zip(TIMES[-len(seen) :], seen, strict=True):
        assert 0 <= quote.bid <= quote.last <= quote.ask
        assert quote.bid < quote.ask
        assert quote.low <= quote.open <= quote.high
        assert quote.volume >= 0
        assert quote.time <= time
    assert all(before.time <= after.time for before, after in pairwise(seen))
    assert seen[0] != seen[-1]


@pytest.mark.parametrize("instrument", [AAPL, BTC, ES], ids=SYMBOLS)
def test_D02_the_last_price_is_the_close_of_the_bar_that_forms_at_every_resolution(
    bed: FeedBed, instrument: Instrument
) -> None:
    compared = 0
    for time, moment in walk(bed, instrument, TIMES):
        window, quote = Schedule.of(instrument).latest(time), bed.source.quote(instrument, moment)
        if quote is None or not window.start <= quote.time <= time < window.end:
            continue
        for resolution in offered(bed, instrument):
            (bar,) = bed.source.bars(instrument, resolution, None, moment)
            assert bar_problems(bar) == []
            assert numbers(bar)[4] == last(quote), (resolution, time)
            if resolution is Resolution.DAY:
                day = [Decimal(each).scaleb(-quote.price_scale) for each in (quote.open, quote.high, quote.low)]
                assert list(numbers(bar)[1:4]) == day
                assert numbers(bar)[5] == Decimal(quote.volume).scaleb(-quote.volume_scale)
            compared += 1
    assert compared > 20


@pytest.mark.parametrize("instrument", [AAPL, BTC, ES], ids=SYMBOLS)
def test_D02_the_bars_that_streamed_are_what_history_then_returns(bed: FeedBed, instrument: Instrument) -> None:
    told: dict[Resolution, list[ScaledBar]] = {resolution: [] for resolution in offered(bed, instrument)}
    for _, moment in walk(bed, instrument, TIMES):
        for resolution, bars in told.items():
            bars += bed.source.bars(instrument, resolution, bars[-1].time if bars else None, moment)
    for resolution, bars in told.items():
        times = [bar.time for bar in bars]
        assert times == sorted(times)
        history = bed.source.series(instrument, resolution, bed.wall)
        returned = [numbers(bar) for bar in history.between(start=times[0], end=None, limit=10**6)]
        assert returned == [numbers(bar) for bar in {bar.time: bar for bar in bars}.values()]
        assert [numbers(bar) for bar in history.newest(end=None, limit=len(returned))] == returned
    assert len(told) == (3 if (bed.kind, instrument) == ("replay", ES) else len(Resolution))


@pytest.mark.parametrize("instrument", [AAPL, BTC], ids=SYMBOLS[:2])
def test_D02_coarser_bars_are_the_sum_of_finer_ones_also_while_they_form(bed: FeedBed, instrument: Instrument) -> None:
    bed.go(ms("2024-03-11T15:12:43"), instrument)
    for names in (("1", "3"), ("1", "15"), ("5", "60"), ("60", "240"), ("1", "1D"), ("1D", "1W"), ("1D", "1M")):
        source, target = map(Resolution, names)
        finer, coarser = (
            bed.source.series(instrument, each, bed.wall).between(start=MONTH, end=None, limit=10**6)
            for each in (source, target)
        )
        summed = aggregate(finer, Schedule.of(instrument), source, target)
        # A simulated week that holds the first of the month began before it.
        wanted = [numbers(bar) for bar in summed if bar.time >= MONTH]
        assert [numbers(bar) for bar in coarser] == wanted
        assert wanted


@pytest.mark.parametrize("instrument", [AAPL, ES], ids=["AAPL", "ES"])
def test_D02_several_processes_agree_whenever_they_began(bed: FeedBed, instrument: Instrument) -> None:
    for time in TIMES[3::4]:
        moment = bed.go(time, instrument)
        other = bed.another()
        other.prepare([instrument], bed.wall)
        assert other.moment(bed.wall) == moment
        assert other.quote(instrument, moment) == bed.source.quote(instrument, moment)
        for resolution in offered(bed, instrument):
            ours = bed.source.bars(instrument, resolution, None, moment)
            assert [*map(numbers, other.bars(instrument, resolution, None, moment))] == [*map(numbers, ours)]


def test_D02_a_closed_market_stands_still(bed: FeedBed) -> None:
    closed, later = ms("2024-03-08T21:00:00"), ms("2024-03-10T12:00:00")
    bars, quotes = [], []
    for _, moment in walk(bed, AAPL, [closed, later]):
        quotes.append(bed.source.quote(AAPL, moment))
        bars.append([numbers(*bed.source.bars(AAPL, resolution, None, moment)) for resolution in Resolution])
    assert bars[0] == bars[1]
    # What is pushed is told, whatever the hour.
    assert (quotes[0] == quotes[1]) == (bed.kind != "manual")


def test_D02_a_quote_out_of_hours_is_in_no_bar(bed: FeedBed) -> None:
    moment = bed.go(ms("2024-03-09T12:00:00"), AAPL)
    (bar,) = bed.source.bars(AAPL, Resolution.MINUTE_1, None, moment)
    assert bar.time < ms("2024-03-08T21:00:00")


def test_D02_what_was_prepared_is_answered_from_memory(bed: FeedBed, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = bed.go(ms("2024-03-11T15:12:43"), AAPL, BTC)

    def touched(_self: Engine, *_args: object) -> None:
        raise AssertionError("the store was read")

    monkeypatch.setattr(Engine, "connect", touched)
    assert all(bed.source.quote(each, moment) for each in (AAPL, BTC))
    assert all(bed.source.bars(AAPL, resolution, None, moment) for resolution in Resolution)
    assert bed.source.bars(AAPL, Resolution.MINUTE_1, ms("2024-03-11T15:00:00"), moment)
    bed.source.ready([AAPL, BTC], bed.wall)


def test_D02_where_a_feed_stands_only_grows(bed: FeedBed) -> None:
    moments = [moment for _, moment in walk(bed, AAPL, TIMES)]
    assert moments == sorted(moments)
    assert moments[0] < moments[-1]


def test_D02_an_instrument_without_anything_to_tell_has_no_bars(bed: FeedBed) -> None:
    unknown = replace(AAPL, name="NOPE", pricescale=3)
    moment = bed.go(TIMES[3], AAPL)
    assert not bed.source.covers(unknown)
    assert bed.source.resolutions(unknown) == ()
    assert bed.source.covers(AAPL)
    assert bed.source.bars(AAPL, Resolution.MINUTE_1, END, moment) == []
