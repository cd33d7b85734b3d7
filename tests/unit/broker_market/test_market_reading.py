"""What the datafeed says is read exactly, and nothing else is believed (D03)."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.link.http_answer import HttpAnswer
from trading_api.modules.broker.market.datafeed import _read
from trading_api.modules.broker.market.hours import TradingHours
from trading_api.modules.broker.market.port import MarketUnavailable
from trading_api.modules.broker.market.reading import (
    HoursReading,
    QuoteReading,
    ReadingError,
    parse,
    read_hours,
    read_instrument,
    read_quote,
    read_quotes,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*"snv", "bid", "ask"]), inner),
    max_leaves=8,
)
AAPL = {"name": "AAPL", "minmov": 1, "pricescale": 100, "volume_precision": 4}
HOURS = {"start": 1, "end": 5, "time": 3}


def quote(text: str) -> QuoteReading:
    return read_quote(parse(f'{{"s": "ok", "n": "X", "v": {text}}}'))


@given(st.decimals(0, 10**9, places=8), st.decimals(0, 10**5, places=8))
def test_D03_prices_are_those_of_the_text_to_the_last_digit(bid: Decimal, spread: Decimal) -> None:
    ask = bid + spread
    assert quote(f'{{"bid": {bid:f}, "ask": {ask:f}}}').prices == (bid, ask)


def test_D03_a_price_step_that_is_no_decimal_is_told_in_words() -> None:
    body = json.dumps({**AAPL, "pricescale": 3}).encode()
    answer = HttpAnswer()
    answer.feed(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    with pytest.raises(MarketUnavailable, match="price step 1/3 cannot be used: it is no decimal number"):
        _read(answer, read_instrument)


@settings(max_examples=50)
@given(JSON)
def test_D03_whatever_comes_is_a_quote_or_is_none(value: object) -> None:
    try:
        reading = read_quote(parse(json.dumps(value)))
    except ReadingError:
        return
    assert reading.prices is None or reading.prices[0] <= reading.prices[1]


@pytest.mark.parametrize(
    "values",
    [
        "{}",
        "[]",
        "null",
        '{"bid": 1}',
        '{"bid": "1", "ask": 2}',
        '{"bid": true, "ask": 2}',
        '{"bid": 2, "ask": 1.99}',
        '{"bid": 1e999999, "ask": 1e999999}',
        '{"bid": 1e-999999, "ask": 1}',
        f'{{"bid": 1.{"1" * 60}, "ask": 2}}',
        f'{{"bid": {"1" * 30}, "ask": {"1" * 30}}}',
        '{"bid": 1, "ask": 2, "time": 1.5}',
        '{"bid": 1, "ask": 2, "time": 1000000000000000000}',
    ],
)
def test_D03_prices_that_are_none_make_no_quote(values: str) -> None:
    assert quote(values) == QuoteReading("X", None, None)


def test_D03_a_side_that_nobody_is_on_crosses_no_other() -> None:
    assert quote('{"bid": 60000, "ask": 0}').prices == (Decimal(60000), Decimal(0))
    assert quote('{"bid": 0, "ask": 60500}').prices == (Decimal(0), Decimal(60500))


def test_D03_a_quote_may_tell_its_time_and_zero_and_negative_prices_are_prices() -> None:
    assert quote('{"bid": -1.5, "ask": 0, "time": 7}') == QuoteReading("X", (Decimal("-1.5"), Decimal(0)), 7)
    assert read_quote({"s": "error", "n": "X", "v": {}}) == QuoteReading("X", None, None)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "[" * 100_000, "1" * 5000, '"\\ud800', b"\xff\xfe"])
def test_D03_what_is_no_json_is_refused(text: str | bytes) -> None:
    with pytest.raises(ReadingError):
        parse(text)


@pytest.mark.parametrize("value", [None, [], {}, {"n": ""}, {"n": 5, "s": "ok"}, {"n": "A\0"}, {"n": "\ud800"}])
def test_D03_a_quote_of_nobody_is_refused(value: object) -> None:
    with pytest.raises(ReadingError):
        read_quote(value)
    with pytest.raises(ReadingError):
        read_quotes([value])


def test_D03_quotes_are_a_list() -> None:
    assert read_quotes([]) == []
    with pytest.raises(ReadingError):
        read_quotes({})


def test_D03_grids_are_exact() -> None:
    assert read_instrument(AAPL) == TradedInstrument("AAPL", Decimal("0.01"), Decimal("0.0001"))
    es = {**AAPL, "minmov": 25, "volume_precision": 0}
    assert read_instrument(es) == TradedInstrument("AAPL", Decimal("0.25"), Decimal(1))
    assert read_instrument({**AAPL, "pricescale": 32}).tick == Decimal("0.03125")


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": None},
        {"minmov": 0},
        {"name": "A\0"},
        {"name": "\ud800"},
        {"pricescale": 0},
        {"pricescale": 3},
        {"pricescale": 100.0},
        {"pricescale": True},
        {"pricescale": 10**40},
        {"volume_precision": -1},
        {"volume_precision": 10**9},
    ],
    ids=str,
)
def test_D03_an_instrument_that_cannot_be_traded_exactly_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ReadingError):
        read_instrument({**AAPL, **wrong})


def test_D03_hours_are_open_from_their_start_to_before_their_end() -> None:
    assert read_hours(HOURS) == HoursReading(TradingHours(1, 5), 3)
    hours = TradingHours(1, 5)
    assert [hours.is_open(time) for time in (0, 1, 4, 5)] == [False, True, True, False]
    assert [hours.is_over(time) for time in (0, 1, 4, 5)] == [False, False, False, True]


@pytest.mark.parametrize("wrong", [{"start": 5}, {"end": None}, {"time": "3"}, {"time": 1.5}, {"end": 10**18}], ids=str)
def test_D03_hours_that_are_none_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ReadingError):
        read_hours({**HOURS, **wrong})
