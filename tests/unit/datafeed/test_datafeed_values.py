"""Resolutions, sessions, exact decimals, bars."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from trading_api.modules.datafeed.bars.bar import bar_problems, make_bar
from trading_api.modules.datafeed.decimals import Scaled, align, parse_scaled, scaled_text
from trading_api.modules.datafeed.resolution import Resolution, in_order, parse_resolution
from trading_api.modules.datafeed.session import parse_session

DECIMALS = st.builds(
    lambda coefficient, scale: Decimal(coefficient).scaleb(-scale),
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.integers(0, 17),
)


@pytest.mark.parametrize("text", ["1m", "d", "7", "", "1d", "60m", "\u0661"])
def test_D02_unknown_resolution_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match=r"unknown resolution .* 1, 3, 5, 15, 30, 60, 120, 240, 1D, 1W, 1M"):
        parse_resolution(text)


@pytest.mark.parametrize(("text", "expected"), [("D", "1D"), ("W", "1W"), ("M", "1M"), ("1H", "60"), (" 240 ", "240")])
def test_D02_tradingview_spellings_of_resolutions(text: str, expected: str) -> None:
    assert parse_resolution(text) == Resolution(expected)


def test_D02_resolutions_are_listed_finest_first() -> None:
    assert in_order([Resolution.MONTH, Resolution.DAY, Resolution.MINUTE_5, Resolution.DAY]) == ("5", "1D", "1M")


@pytest.mark.parametrize("text", ["", "0930", "930-1600", "2500-1600", "0930-1600:8", "0930-1660", "24X7"])
def test_D02_bad_session_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither 24x7 nor HHMM-HHMM"):
        parse_session(text)


def test_D02_sessions_that_open_the_evening_before_are_overnight() -> None:
    assert parse_session("1700-1600").overnight
    assert parse_session("1700-1700:23456").overnight
    assert not parse_session("0930-1600").overnight
    assert not parse_session("24x7").overnight


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        ".",
        "nan",
        "inf",
        "-Infinity",
        "1,5",
        "1 000",
        "1_000",
        "0x10",
        "1e",
        "1e5000",
        "\uff11",
        "--1",
        "1.2.3",
        "9" * 41,
    ],
)
def test_D02_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number|out of range"):
        parse_scaled(text)


@pytest.mark.parametrize("text", ["1" * 19, "0.0000000000000000001", "1234567890.123456789", "1e18", "1e-19"])
def test_D02_more_than_18_digits_are_refused_not_rounded(text: str) -> None:
    with pytest.raises(ValueError, match="at most 18 digits are kept"):
        parse_scaled(text)


def test_D02_prices_without_a_common_scale_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be kept exactly: more than 18 digits with 9 decimals"):
        align([parse_scaled("1234567890"), parse_scaled("0.000000001")])


@given(DECIMALS)
@example(Decimal("-0.0"))
@example(Decimal("1.10"))
def test_D02_decimal_text_round_trips_exactly(value: Decimal) -> None:
    number = parse_scaled(f"{value:f}")
    assert Decimal(scaled_text(*number)) == value
    assert parse_scaled(str(number)) == number


@given(DECIMALS, st.integers(0, 8))
def test_D02_equal_numbers_are_equal_however_written(value: Decimal, zeros: int) -> None:
    plain = f"{value:f}"
    padded = plain + ("" if "." in plain else ".") + "0" * zeros
    assert parse_scaled(padded) == parse_scaled(plain)


@pytest.mark.parametrize(
    ("text", "expected"), [("1.5e2", "150"), ("15E-1", "1.5"), ("0e9", "0"), (".5", "0.5"), ("5.", "5")]
)
def test_D02_exponents_and_bare_points_are_read(text: str, expected: str) -> None:
    assert str(parse_scaled(text)) == expected


@given(
    st.lists(
        DECIMALS.map(lambda value: parse_scaled(f"{value.quantize(Decimal(1)) % 10**9:f}")), min_size=1, max_size=4
    )
)
def test_D02_aligning_changes_no_value(numbers: list[Scaled]) -> None:
    scale, coefficients = align(numbers)
    assert [Decimal(c).scaleb(-scale) for c in coefficients] == [Decimal(str(number)) for number in numbers]


def _problems(open_: str, high: str, low: str, close: str, volume: str = "0") -> list[str]:
    prices = [parse_scaled(text) for text in (open_, high, low, close)]
    return bar_problems(make_bar(0, prices, parse_scaled(volume)))


def test_D02_bar_problems_are_named_with_their_numbers() -> None:
    assert _problems("9.2", "9.1", "9.3", "9.2") == ["high 9.1 is below low 9.3"]
    assert _problems("9.5", "9.4", "9.1", "9") == [
        "open 9.5 is outside low 9.1 to high 9.4",
        "close 9.0 is outside low 9.1 to high 9.4",
    ]
    assert _problems("-1", "2", "-1", "2", "-0.5") == [
        "open -1 is negative",
        "low -1 is negative",
        "volume -0.5 is negative",
    ]


def test_D02_good_bars_have_no_problems() -> None:
    assert _problems("1", "1", "1", "1") == []
    assert _problems("1.5", "2", "1.25", "1.75", "0.0001") == []
