"""The market as the broker sees it, over real sockets, of datafeeds that misbehave as they can (D03)."""

import asyncio
import json
import time
from decimal import Decimal
from functools import partial
from itertools import count

import pytest
from support.market_bed import MarketBed, run, soon
from support.scripted_datafeed import HOUR, ScriptedDatafeed
from support.stopwatch import Stopwatch
from websockets.frames import Opcode

from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.link.backoff import Backoff
from trading_api.modules.broker.link.connection import MAX_FRAME
from trading_api.modules.broker.link.quotes_link import QuotesLink
from trading_api.modules.broker.market.linked_market import LOOK_S, LinkedMarket
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol

pytestmark = pytest.mark.integration


async def refused(bed: MarketBed, symbol: str = "AAPL") -> str:
    """Why a look is refused; in good time."""
    begun = time.monotonic()
    with pytest.raises(MarketUnavailable) as error:
        await bed.market.look(symbol)
    assert time.monotonic() - begun < 20
    return error.value.reason


def told_since(bed: MarketBed, time: int) -> bool:
    return bed.seen[-1].now_ms >= time + 3900


def test_D03_without_a_datafeed_a_look_says_so_at_once() -> None:
    async def test(bed: MarketBed) -> None:
        bed.market.start()
        assert await refused(bed) == "No datafeed is deployed, so there are no quotes to trade on."
        assert bed.market.view("AAPL") is None
        await bed.market.stop()

    run(test, feeds=0)


def test_D03_a_datafeed_that_is_away_hangs_or_talks_rubbish_makes_the_market_unavailable() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        await feed.stop()
        assert await refused(bed) == "The datafeed cannot be reached."
        await feed.start()
        feed.garbage = b"SSH-2.0-OpenSSH\r\n\r\n"
        assert await refused(bed) == "What answers at the datafeed's address is no datafeed."
        feed.garbage = b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n" + b"x" * (3 << 20)
        assert await refused(bed) == "What answers at the datafeed's address is no datafeed."
        feed.garbage = b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n"no"'
        assert await refused(bed) == "The datafeed sent what cannot be read."
        third = b'{"name":"AAPL","minmov":1,"pricescale":3,"volume_precision":0}'
        feed.garbage = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(third), third)
        assert await refused(bed) == "The symbol's price step 1/3 cannot be used: it is no decimal number."
        feed.garbage, feed.status = b"", 503
        assert await refused(bed) == "The datafeed answers with HTTP 503."
        feed.status, feed.hangs = 0, True
        assert await refused(bed) == "The datafeed does not answer."
        assert bed.market.view("AAPL") is None
        feed.hangs = False
        assert (await bed.market.look("AAPL")).quote is not None

    run(test, look_s=5)


def test_D03_a_look_tells_grids_quote_and_hours_exactly_by_any_spelling() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        feed.list_symbol("ES", 0.29, 5000, time=1234)
        feed.instruments["ES"] |= {"minmov": 25, "volume_precision": 0}
        view = await bed.market.look(" cme:es ")
        assert (view.instrument.symbol, view.instrument.tick, view.instrument.step) == (
            "ES",
            Decimal("0.25"),
            Decimal(1),
        )
        assert view.quote == Quote("ES", Decimal("0.29"), Decimal(5000), 1234)
        assert view.session_end_ms == feed.hours["ES"][1]
        assert abs(view.now_ms - feed.clock()) < 20_000
        assert abs((bed.market.now_ms() or 0) - feed.clock()) < 20_000
        assert view.is_open
        assert bed.view("Cme:Es").quote == bed.view("es").quote == view.quote
        for unknown in ("NOPE", "", "a/b", "../config", "x" * 81, "NOPE?x=1", "\ud800"):
            with pytest.raises(UnknownSymbol):
                await bed.market.look(unknown)
        assert bed.market.view("NOPE") is None

    run(test)


def test_D03_many_looks_of_one_symbol_share_one_request_and_one_may_leave() -> None:
    async def test(bed: MarketBed) -> None:
        looks = [asyncio.create_task(bed.market.look("AAPL")) for _ in range(50)]
        await asyncio.sleep(0)
        looks[0].cancel()
        views = await asyncio.gather(*looks[1:])
        assert looks[0].cancelled()
        assert {view.quote for view in views} == {views[0].quote}
        assert [bed.feed.count(start) for start in ("GET /resolve", "POST /quotes")] == [1, 1]
        await soon(lambda: bed.feed.lines and bed.feed.lines[0].symbols, "the subscription")
        for bid in (100.04, 100.05):
            bed.feed.push("AAPL", bid, bid + 1)
        await soon(lambda: str(bed.view("AAPL").quote and bed.view("AAPL").quote.bid) == "100.05")  # type: ignore[union-attr]
        before = len(bed.feed.asked)
        for _ in range(100):
            await bed.market.look("NASDAQ:AAPL" if _ % 2 else "AAPL")
        assert not any("quotes" in each or "sessions" in each for each in bed.feed.asked[before:]), "it is streamed"
        assert bed.bids("AAPL")[-2:] == ["100.04", "100.05"], "every quote is told"

    run(test)


def test_D03_what_is_watched_is_subscribed_again_after_a_break_and_given_up_when_it_is_not() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        for name in ("A", "B", "C"):
            feed.list_symbol(name, 1, 2)
        bed.market.watch(frozenset("AB"))
        await soon(lambda: feed.lines and sorted(feed.lines[0].symbols) == ["A", "B"])
        bed.market.watch(frozenset("BC"))
        await soon(lambda: sorted(feed.lines[0].symbols) == ["B", "C"])
        await soon(lambda: bed.market.view("B") and bed.market.view("C"))
        feed.drop()
        await soon(lambda: feed.lines and sorted(feed.lines[0].symbols) == ["B", "C"], "to be subscribed again")
        bed.seen.clear()
        feed.push("A", 7, 8)
        feed.push("C", 5, 6)
        await soon(lambda: "5" in bed.bids("C"))
        assert bed.bids("A") == []
        bed.market.watch(frozenset())
        await soon(lambda: not feed.lines[0].symbols)
        bed.skip(2)
        await soon(lambda: bed.market.view("C") is None, "it to be forgotten")

    run(test)


def test_D03_a_quote_goes_stale_with_the_link_and_lives_again_with_it() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: feed.lines and feed.lines[0].symbols and bed.market.view("AAPL"))
        await feed.stop()
        await soon(lambda: bed.market.link.state.is_failure)
        view = await bed.market.look("AAPL")
        assert not view.stale, "it was good a moment ago"
        bed.skip(4)
        assert not bed.view("AAPL").stale
        bed.skip(2)
        view = await bed.market.look("AAPL")
        assert view.stale, "and it is told, for orders that need no quote"
        assert view.tradable is None
        assert view.is_open
        await soon(lambda: bed.seen[-1].stale, "the clock to be told on")
        await feed.start()
        feed.quotes["AAPL"] = {"bid": 99, "ask": 100}
        await soon(lambda: feed.lines and feed.lines[0].symbols)
        await soon(lambda: not bed.view("AAPL").stale)
        assert bed.view("AAPL").tradable == Quote("AAPL", Decimal(99), Decimal(100), bed.view("AAPL").quote.time_ms)  # type: ignore[union-attr]

    run(test)


def test_D03_a_price_that_does_not_change_is_confirmed_and_one_that_nobody_pushes_is_stale() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        feed.list_symbol("OLD", 1, 2, time=feed.clock())
        bed.market.watch(frozenset({"AAPL", "OLD"}))
        await soon(lambda: feed.lines and len(feed.lines[0].symbols) == 2)
        await soon(lambda: bed.market.view("AAPL") and bed.market.view("OLD"))
        await soon(lambda: bed.view("AAPL").quote and bed.view("OLD").quote)
        bed.skip(61)
        quotes, old = await asyncio.gather(bed.market.look("AAPL"), bed.market.look("OLD"))
        assert not quotes.stale
        assert old.stale
        assert old.quote is not None
        assert old.is_open
        feed.push("OLD", 3, 4, time=feed.clock())
        await soon(lambda: not bed.view("OLD").stale)
        feed.push("OLD", 9, 9, time=feed.clock() - 1000)
        feed.push("OLD", 5, 6, time=feed.clock())
        await soon(lambda: bed.bids("OLD")[-1] == "5")
        assert "9" not in bed.bids("OLD"), "a quote that is older than the last one is passed over"

    run(test)


def test_D03_a_session_that_ends_is_told_and_the_next_one_asked_for() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: bed.market.view("AAPL"))
        assert bed.view("AAPL").is_open
        _, end = feed.hours["AAPL"]
        feed.hours["AAPL"] = (end + HOUR, end + 2 * HOUR)
        bed.skip((end - feed.clock()) / 1000 + 1)
        bed.seen.clear()
        over = bed.view("AAPL")
        assert (over.is_open, over.stale, over.session_end_ms) == (False, True, None), "it is not known what follows"
        view = await bed.market.look("AAPL")
        assert (view.is_open, view.stale, view.session_end_ms) == (False, False, end + 2 * HOUR)
        await soon(lambda: any(not view.is_open and view.now_ms >= end for view in bed.seen), "to be told")
        bed.skip(HOUR / 1000)
        assert (await bed.market.look("AAPL")).is_open

    run(test)


def test_D03_watched_symbols_are_told_of_when_nothing_happens_also_without_a_link() -> None:
    async def test(bed: MarketBed) -> None:
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: bed.market.view("AAPL"))
        for away in (False, True):
            if away:
                await bed.feed.stop()
            bed.skip(4)
            told = bed.seen[-1].now_ms
            await soon(partial(told_since, bed, told), "to be told")

    run(test)


def test_D03_a_replays_clock_is_followed_as_fast_as_it_runs() -> None:
    async def test(bed: MarketBed) -> None:
        begun = bed.clock()
        bed.feed.clock = lambda: 1_000_000_000_000 + round((bed.clock() - begun) * 1000 * 600)
        bed.feed.hours["AAPL"] = (0, 2_000_000_000_000)
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: bed.market.view("AAPL"))
        bed.skipped += 1.5
        await soon(lambda: abs(bed.view("AAPL").now_ms - bed.feed.clock()) < 600 * 100, "a second reading")
        before = bed.view("AAPL").now_ms
        bed.skipped += 2
        assert abs(bed.view("AAPL").now_ms - before - 1_200_000) < 100_000

    run(test)


@pytest.mark.parametrize(
    "wrong",
    ["no json", "[]", '{"type":"quotes.update","payload":[]}', "{" * 20_000, '"' + "x" * MAX_FRAME + '"', b"\xff\xfe"],
    ids=["text", "list", "payload", "deep", "large", "bytes"],
)
def test_D03_a_datafeed_that_sends_rubbish_is_left_and_tried_again(wrong: str | bytes) -> None:
    async def test(bed: MarketBed) -> None:
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: bed.feed.lines and bed.feed.lines[0].symbols and bed.market.view("AAPL"))
        states: list[str] = []
        bed.market.link.listen("test", lambda state: states.append(state.message))
        line = bed.feed.lines[0]
        line.send(wrong, Opcode.BINARY if isinstance(wrong, bytes) else Opcode.TEXT)
        await soon(lambda: "The datafeed sent what cannot be read." in states)
        await soon(lambda: bed.feed.lines and bed.feed.lines[0] is not line and bed.feed.lines[0].symbols)
        assert not bed.view("AAPL").stale

    run(test)


@pytest.mark.parametrize(
    "values",
    [
        '{"bid":NaN,"ask":1}',
        '{"bid":2,"ask":1}',
        '{"bid":1}',
        '{"bid":"1","ask":2}',
        '{"bid":1e9999,"ask":1e9999}',
        "7",
    ],
)
def test_D03_a_quote_that_is_none_leaves_the_symbol_without(values: str) -> None:
    async def test(bed: MarketBed) -> None:
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: bed.feed.lines and bed.feed.lines[0].symbols and bed.market.view("AAPL"))
        await soon(lambda: bed.view("AAPL").quote)
        frame = json.dumps({"type": "quotes.update", "payload": {"payload": {"s": "ok", "n": "AAPL", "v": "V"}}})
        state = bed.market.link.state
        bed.feed.lines[0].send(frame.replace('"V"', values))
        if "NaN" in values:
            await soon(lambda: bed.market.link.state != state, "the link to end: this is no JSON")
        else:
            await soon(lambda: bed.view("AAPL").quote is None)
            assert bed.view("AAPL").tradable is None

    run(test)


async def look_for_ever(bed: MarketBed, symbol: str) -> None:
    """The answer of the datafeed may still be on its way; until it is there, what is known is told."""
    async with asyncio.timeout(60):
        while True:
            await bed.market.look(symbol)
            await asyncio.sleep(0.005)


def test_D03_a_symbol_that_vanishes_has_no_quote_and_a_look_says_unknown() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: feed.lines and feed.lines[0].symbols and bed.market.view("AAPL"))
        await soon(lambda: bed.view("AAPL").quote)
        listed = feed.instruments.pop("AAPL"), feed.quotes.pop("AAPL")
        feed.tell("AAPL")
        await soon(lambda: bed.view("AAPL").quote is None)
        await soon(lambda: feed.count("GET /resolve") >= 2, "the instrument to be read again")
        with pytest.raises(UnknownSymbol):
            await look_for_ever(bed, "AAPL")
        assert bed.view("AAPL").instrument.symbol == "AAPL", "its grids and hours are known still"
        feed.instruments["AAPL"], feed.quotes["AAPL"] = listed
        feed.tell("AAPL")
        assert (await bed.market.look("AAPL")).instrument.symbol == "AAPL"
        await soon(lambda: bed.view("AAPL").tradable)

    run(test)


def test_D03_changed_instruments_are_read_again_within_two_seconds_and_unchanged_ones_are_not() -> None:
    async def test(bed: MarketBed) -> None:
        feed, others = bed.feed, ["AAPL", *"BCDEFGHI"]
        for name in "ABCDEFGHI":
            feed.list_symbol(name, 1, 2)
        bed.market.watch(frozenset({"A", "AAPL"}))
        for name in others:
            await bed.market.look(name)
        await soon(lambda: feed.lines and len(feed.lines[0].symbols) == 10 and bed.market.view("A"))
        bed.skip(2)
        heard, resolved = feed.count("GET /sessions"), feed.count("GET /resolve")
        await soon(lambda: feed.count("GET /sessions") >= heard + 11, "the clock to be heard")
        assert feed.count("GET /resolve") == resolved
        for name in others:
            feed.instruments[name] |= {"minmov": 50, "volume_precision": 0}
        feed.instruments["A"] |= {"pricescale": 3}
        start, end = feed.hours["AAPL"]
        feed.hours["AAPL"] = (start, end + HOUR)
        feed.catalogue = "second"
        watch = Stopwatch()
        await soon(lambda: {bed.view(name).instrument.tick for name in others} == {Decimal("0.5")}, "the tick")
        await soon(lambda: bed.view("AAPL").session_end_ms == end + HOUR, "the hours")
        assert watch.seconds < 2
        assert bed.view("B").instrument.step == 1
        assert bed.view("A").instrument.tick == Decimal("0.01"), "its new one cannot be used, which keeps no other"
        heard = feed.count("GET /sessions")
        await soon(lambda: feed.count("GET /sessions") >= heard + 1)
        assert {feed.count(f"GET /resolve/{name}") for name in "BCDEFGHI"} == {2}, "once"

    run(test)


def test_D03_error_quotes_are_views_without_a_quote() -> None:
    async def test(bed: MarketBed) -> None:
        bed.feed.list_symbol("NEW")
        begun = time.monotonic()
        view = await bed.market.look("NEW")
        assert time.monotonic() - begun < 20, "the datafeed said that there is none"
        assert (view.quote, view.is_open, view.stale) == (None, True, False)
        await soon(lambda: bed.feed.lines and bed.feed.lines[0].symbols)
        bed.feed.push("NEW", 1, 2)
        await soon(lambda: bed.view("NEW").quote)

    run(test)


def test_D04_one_instance_hangs_and_the_other_answers() -> None:
    async def test(bed: MarketBed) -> None:
        first, second = bed.feeds
        await soon(lambda: first.lines, "the link")
        first.hangs = True
        watch = Stopwatch()
        assert (await bed.market.look("AAPL")).quote is not None
        assert watch.seconds < 1.2
        assert second.count("GET /resolve") == 1
        second.list_symbol("B", 1, 2)
        watch = Stopwatch()
        await bed.market.look("B")
        assert watch.seconds < 0.4, "the one that hangs is asked last for a while"
        await first.stop()
        await soon(lambda: second.lines and sorted(second.lines[0].symbols) == ["AAPL", "B"], "the other link")

    run(test, feeds=2, look_s=LOOK_S)


def test_D03_a_thousand_symbols_are_watched_and_the_refused_ones_are_asked_for() -> None:
    async def test(bed: MarketBed) -> None:
        feed = bed.feed
        names = [f"S{number:04}" for number in range(1000)]
        for name in names:
            feed.list_symbol(name, 1, 2)
        feed.refuses = lambda symbol: "too_many_subscriptions" if symbol >= "S0990" else None
        bed.market.watch(frozenset(names))
        await soon(lambda: feed.lines and len(feed.lines[0].symbols) == 990, "the subscriptions", 20)
        await soon(lambda: all(bed.market.view(name) for name in names), "the views", 20)
        feed.quotes["S0999"] = {"bid": 5, "ask": 6}
        await soon(lambda: bed.bids("S0999")[-1:] == ["5"], "a quote that is not streamed")
        assert feed.count("GET /resolve") == 1000
        feed.push("S0000", 7, 8)
        await soon(lambda: bed.bids("S0000")[-1:] == ["7"])

    run(test)


def test_D03_the_quotes_of_many_take_a_few_questions_and_no_more_need_be_known() -> None:
    async def test(bed: MarketBed) -> None:
        feed, names = bed.feed, [f"S{number:04}" for number in range(250)]
        for name in names[:-1]:
            feed.list_symbol(name, 1, 2)
        market, told = LinkedMarket(QuotesLink([feed.url])), dict[str, Quote | None]()
        market.on_price(told.__setitem__)
        market.watch(frozenset(names))
        await market.price(names)
        assert list(told) == names
        assert told.pop("S0249") is None, "it is not listed"
        assert {quote and (quote.bid, quote.ask) for quote in told.values()} == {(Decimal(1), Decimal(2))}
        assert {start: feed.count(start) for start in ("GET /resolve", "GET /sessions", "POST /quotes")} == {
            "GET /resolve": 0,
            "GET /sessions": 1,
            "POST /quotes": 3,
        }
        assert market.view("S0000") is None
        await market.look("S0000")
        told.clear()
        seen: list[str] = []
        market.on_market(lambda view: seen.append(view.instrument.symbol))
        await market.price(["S0000", "S0001"])
        assert (seen, list(told)) == (["S0000"], ["S0001"]), "of what is known more there are views"
        await market.stop()

    run(test)


def test_D03_quotes_of_many_that_cannot_be_had_say_whether_the_datafeed_is_there() -> None:
    async def test(bed: MarketBed) -> None:
        market = LinkedMarket(QuotesLink([bed.feed.url]))
        market.watch(frozenset({"AAPL", "B"}))
        bed.feed.status = 500
        with pytest.raises(MarketUnavailable) as broken:
            await market.price(["AAPL", "B"])
        bed.feed.status = 0
        await bed.feed.stop()
        with pytest.raises(MarketUnavailable) as away:
            await market.price(["AAPL", "B"])
        assert (broken.value.answered, away.value.answered) == (True, False)
        assert away.value.advice == "The datafeed cannot be reached; try again."
        await market.stop()

    run(test)


def test_D03_who_looks_at_one_symbol_does_not_wait_behind_those_that_are_asked_for_all() -> None:
    async def test(bed: MarketBed) -> None:
        feed, names = bed.feed, [f"S{number:04}" for number in range(20)]
        for name in names:
            feed.list_symbol(name, 1, 2)
        feed.hangs_on = ("/sessions/S",)
        market = LinkedMarket(QuotesLink([feed.url]), look_s=20)
        market.watch(frozenset(names))
        behind = [asyncio.create_task(market.price([name])) for name in names]
        await soon(lambda: feed.count("GET /sessions/S") >= 8, "as many questions as there may be")
        assert (await market.look("AAPL")).quote is not None
        assert not any(each.done() for each in behind)
        for each in behind:
            each.cancel()
        await asyncio.wait(behind)
        await market.stop()

    run(test)


def test_D03_a_datafeed_that_answers_others_is_slow_and_not_silent() -> None:
    async def test(bed: MarketBed) -> None:
        bed.feed.hangs_on = ("/sessions",)
        looks = asyncio.create_task(look_at_new_ones(bed))
        assert await refused(bed) == "The datafeed is slow to answer."
        looks.cancel()
        await asyncio.wait({looks})

    run(test, look_s=2)


async def look_at_new_ones(bed: MarketBed) -> None:
    """Others ask meanwhile, and hear that there are no such symbols."""
    for number in count():
        with pytest.raises(UnknownSymbol):
            await bed.market.look(f"NONE{number}")
        await asyncio.sleep(0.05)


def test_P05_those_who_look_when_it_stops_are_told() -> None:
    async def test(bed: MarketBed) -> None:
        bed.feed.hangs = True
        look = asyncio.create_task(bed.market.look("AAPL"))
        await asyncio.sleep(0.01)
        begun = time.monotonic()
        await bed.market.stop()
        with pytest.raises(MarketUnavailable, match="stops"):
            await look
        assert time.monotonic() - begun < 20
        assert await refused(bed) == "The broker stops."

    run(test)


def test_P05_after_a_stop_it_can_be_started_again_in_another_event_loop() -> None:
    feed = ScriptedDatafeed()
    feed.list_symbol("AAPL", 1, 2)
    market: LinkedMarket | None = None

    async def once() -> LinkedMarket:
        await feed.start()
        running = market or LinkedMarket(QuotesLink([feed.url], backoff=Backoff(lambda: 0.0)))
        running.watch(frozenset({"AAPL"}))
        running.start()
        looks = [running.look("AAPL"), *(running.look(f"N{number}") for number in range(20))]
        answers = await asyncio.gather(*looks, return_exceptions=True)
        assert [type(answer).__name__ for answer in answers] == ["MarketView"] + ["UnknownSymbol"] * 20
        await soon(lambda: feed.lines and feed.lines[0].symbols)
        await running.stop()
        await feed.stop()
        return running

    for _ in range(2):
        market = asyncio.run(once())


def test_D03_a_listener_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def test(bed: MarketBed) -> None:
        def fail(_view: object) -> None:
            raise RuntimeError("a bug")

        bed.market.on_market(fail)
        bed.market.on_market(bed.seen.append)
        bed.market.watch(frozenset({"AAPL"}))
        await soon(lambda: bed.feed.lines and bed.feed.lines[0].symbols)
        bed.feed.push("AAPL", 50, 51)
        await soon(lambda: bed.bids("AAPL")[-1:] == ["50"])
        assert bed.market.link.state.status == 1

    run(test)
    assert "a bug" in caplog.text
