"""The settings of the feed."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from trading_api.feed_settings import FeedSettings, read_feed_settings
from trading_api.settings import SettingsError, read_settings


def test_D02_unset_means_simulated_with_seed_1() -> None:
    assert read_feed_settings({}) == (FeedSettings("simulated", 1, (), None, Decimal(1)), ())


def test_D02_every_value_is_taken_over() -> None:
    environ = {
        "TRADING_FEED_KIND": "replay",
        "TRADING_FEED_SEED": "-7",
        "TRADING_FEED_SYMBOLS": "aapl, MSFT,",
        "TRADING_FEED_START": "2024-01-02T14:30:00Z",
        "TRADING_FEED_SPEED": "2.5",
    }
    start = datetime(2024, 1, 2, 14, 30, tzinfo=UTC)
    assert read_feed_settings(environ) == (FeedSettings("replay", -7, ("AAPL", "MSFT"), start, Decimal("2.5")), ())


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("KIND", "simulatd", "did you mean 'simulated'"),
        ("SEED", "1.5", "not a whole number"),
        ("SEED", "1" * 19, "at most 18 digits"),
        ("SYMBOLS", ",".join(f"S{n}" for n in range(1001)), "1001 symbols"),
        ("START", "yesterday", "not a time in ISO 8601"),
        ("START", "2024-01-02T14:30:00", "no offset"),
        ("START", "9999-12-31T23:59:59-12:00", "1801 to 2199"),
        ("START", "0001-01-01T00:00:00+12:00", "1801 to 2199"),
        ("SPEED", "0", "above 0"),
        ("SPEED", "NaN", "above 0"),
        ("SPEED", "fast", "above 0"),
        ("SPEED", "100001", "at most 100000"),
    ],
)
def test_D02_a_value_that_cannot_be_used_is_named_with_its_variable(name: str, text: str, said: str) -> None:
    _, problems = read_feed_settings({f"TRADING_FEED_{name}": text})
    assert [said in problem and problem.startswith(f"TRADING_FEED_{name}: ") for problem in problems] == [True]


def test_D02_problems_of_the_feed_and_of_the_bus_stop_the_start_up() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"TRADING_FEED_KIND": "x", "TRADING_FEED_SPEED": "-1", "TRADING_BUS_URL": "http://h"}, {})
    assert len(caught.value.problems) == 3
    assert "nats://127.0.0.1:4222" in caught.value.problems[2]
