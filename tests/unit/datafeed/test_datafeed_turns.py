"""What many subscriptions cost: each instrument once a step, and turns for others (D01, W03, W04, W05)."""

import asyncio
import itertools
import time
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from support.datafeed_bench import CATALOGUE, MINUTE, NOW, SECOND, SIMULATOR, Bench, Recorder, quotes, run

from trading_api.models.market import QuoteData, QuoteValues
from trading_api.models.market.quotes import MAX_SYMBOLS
from trading_api.modules.datafeed.bars.bar_store import BarStore
from trading_api.modules.datafeed.feed import board
from trading_api.modules.datafeed.feed.board import QuoteBoard, quote_data, quote_json
from trading_api.modules.datafeed.feed.live import SLICE_S, LiveFeed
from trading_api.modules.datafeed.feed.quote import Quote
from trading_api.modules.datafeed.feed.streams import QuotesStream
from trading_api.modules.datafeed.instruments.directory import open_directory
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.service import DatafeedService
from trading_api.modules.datafeed.wire import quote_values
from trading_api.shared.ws.limits import DEFAULT_LIMITS
from trading_api.shared.ws.topic_name import topic_name


def spellings(name: str) -> list[str]:
    """Every mixture of small and large letters, with and without the exchange."""
    mixed = ["".join(letters) for letters in itertools.product(*((c.lower(), c.upper()) for c in name))]
    return [*mixed, *(f"crypto:{each}" for each in mixed)]


def test_D01_an_instrument_is_quoted_and_written_once_a_step_by_however_many_names_it_is_asked_for(
    store: BarStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def count(instrument: Instrument, quote: Quote) -> QuoteValues:
        written.append(instrument.name)
        return quote_values(instrument, quote)

    monkeypatch.setattr(board, "quote_values", count)

    async def test(bench: Bench) -> None:
        names = spellings("BTCUSD")
        topics = [await bench.subscribe(quotes(*names, "AAPL", slow=("btcusd", "BTCUSD")), str(n)) for n in range(5)]
        written.clear()
        await bench.at(NOW + SECOND)
        assert sorted(written) == ["AAPL", "BTCUSD"]
        assert [[key for key, _ in topic.take()[-len(names) - 1 :]] for topic in topics] == [[*names, "AAPL"]] * 5

    run(store, test)


@given(symbol=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()))
@settings(max_examples=50)
def test_D01_a_quote_is_written_exactly_as_its_model_is(symbol: str) -> None:
    for instrument in CATALOGUE.values():
        told = QuoteBoard(SIMULATOR, NOW).told(instrument)
        assert told.json is told.json
        model = quote_data(symbol, told)
        assert quote_json(symbol, told) == TypeAdapter(QuoteData).dump_json(model, exclude_unset=True)


def test_D01_an_unknown_symbol_costs_nothing_once_it_was_told(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topic = Recorder("t", quotes("NOPE", slow=("NO",)))
        stream = QuotesStream(cast("Any", topic), {})
        assert len([*stream.advance(bench.feed.board())]) == 2
        assert [data.s for _, data in topic.take()] == ["error", "error"]
        for second in (0, MINUTE):
            bench.now = NOW + second
            assert [*stream.advance(bench.feed.board())] == []

    run(store, test)


def test_D01_repeats_in_one_request_count_and_are_told_once(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        request = quotes("BTCUSD", "AAPL", "BTCUSD", "NO", slow=("AAPL", "NO", "ES", "ES"))
        assert request.count_keys() == 4
        topic = await bench.subscribe(request)
        assert sorted(key for key, _ in topic.take()) == ["AAPL", "BTCUSD", "ES", "NO"]

    run(store, test)


def test_W04_one_subscription_is_of_200_symbols_at_most() -> None:
    names = [f"S{number}" for number in range(MAX_SYMBOLS + 1)]
    assert quotes(*names[:150], slow=(*names[100:200],)).count_keys() == MAX_SYMBOLS
    with pytest.raises(ValidationError, match="at most 200 symbols, in symbols and fast_symbols together"):
        quotes(*names[:150], slow=(*names[100:],))


def test_W04_100_symbols_with_their_exchanges_make_a_topic() -> None:
    symbols = [f"NASDAQ:SYM{number:03}.A" for number in range(100)]
    name = topic_name("quotes", {"fast_symbols": symbols, "symbols": symbols})
    assert len(name) < DEFAULT_LIMITS.topic_bytes


def test_W05_others_have_their_turn_within_a_step(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        bench.feed = LiveFeed(SIMULATOR, clock=lambda: bench.now, slice_s=0.0)
        bench.service = DatafeedService(store, open_directory(store.engine), bench.feed)
        topic = await bench.subscribe(quotes(*spellings("BTCUSD")))
        topic.take()
        step = asyncio.create_task(bench.at(NOW + SECOND))
        seen = []
        while not step.done():
            await asyncio.sleep(0)
            seen.append(len(topic.published))
        assert seen[0] <= 1
        assert max(after - before for before, after in pairwise(seen)) == 1, "no two without a turn between them"
        assert len(topic.take()) == 128

    run(store, test)


def test_W05_a_step_does_not_run_long_without_a_turn_for_others(store: BarStore) -> None:
    async def test(bench: Bench) -> None:
        topics = [await bench.subscribe(quotes(*spellings("BTCUSD")[n:]), str(n)) for n in range(64)]
        _ = [topic.take() for topic in topics]
        step, turns = asyncio.create_task(bench.at(NOW + SECOND)), 0
        # Of this process alone: what others on the machine take makes slices longer, not more.
        began = time.process_time()
        while not step.done():
            await asyncio.sleep(0)
            turns += 1
        assert turns >= (time.process_time() - began) / SLICE_S / 4
        assert turns > 2

    run(store, test)


def test_W03_a_stream_that_ends_within_a_step_is_told_nothing_more_and_its_successor_nothing_old(
    store: BarStore,
) -> None:
    async def test(bench: Bench) -> None:
        bench.feed = LiveFeed(SIMULATOR, clock=lambda: bench.now, slice_s=0.0)
        bench.service = DatafeedService(store, open_directory(store.engine), bench.feed)
        first = await bench.subscribe(quotes(*spellings("BTCUSD")))
        other = await bench.subscribe(quotes("AAPL", "ES"), "other")
        first.take(), other.take()
        step = asyncio.create_task(bench.at(NOW + SECOND))
        for _ in range(10):
            await asyncio.sleep(0)
        await bench.unsubscribe(first)
        successor = await bench.subscribe(quotes("BTCUSD"))
        told = len(first.published)
        assert 0 < told < 20
        await step
        assert len(first.published) == told
        assert len(successor.take()) == 1
        assert len(other.take()) > 0

    run(store, test)
