"""The datafeed's clock between the answers that tell it (D03)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.modules.broker.market.feed_clock import FeedClock

START = 1_700_000_000_000


def heard(*marks: tuple[float, int]) -> FeedClock:
    """Answers that took no time: when (s), and what they told (ms after START)."""
    clock = FeedClock()
    for at, time in marks:
        clock.hear(START + time, at, at)
    return clock


def test_D03_a_clock_that_was_never_heard_has_no_time() -> None:
    assert FeedClock().now(5) is None
    assert not FeedClock().is_sure


def test_D03_until_its_speed_is_known_it_runs_like_any_other() -> None:
    clock = heard((10, 0))
    assert clock.now(12.5) == START + 2500
    assert not clock.is_sure


@given(st.sampled_from([1, 2, 60, 600, 100_000]), st.floats(1, 30), st.floats(0, 30))
def test_D03_it_runs_as_fast_as_two_answers_say(speed: int, apart: float, later: float) -> None:
    clock = heard((100, 0), (100 + apart, round(apart * 1000 * speed)))
    assert clock.is_sure
    assert clock.now(100 + apart + later) == pytest.approx(START + (apart + later) * 1000 * speed, abs=60 * speed)


def test_D03_a_late_answer_tells_the_time_only_if_nothing_better_does() -> None:
    clock = FeedClock()
    clock.hear(START, 0, 0.9)
    assert clock.now(0.45) == START
    clock.hear(START + 5000, 5, 5)
    clock.hear(START + 6500, 6, 6.9)
    assert clock.now(6) == START + 6000
    clock.hear(START + 7000, 7, 7)
    assert clock.is_sure
    assert clock.now(8) == START + 8000


def test_D03_small_differences_are_those_of_the_answers() -> None:
    clock = heard((0, 0), (2, 2030), (4, 3990))
    assert clock.now(104) == START + 103_990, "not 1.5 % fast"


def test_D03_answers_that_overtook_each_other_are_taken_by_their_time() -> None:
    clock = heard((0, 0), (2, 2000), (1, 999))
    assert clock.now(2) == START + 2000


@pytest.mark.parametrize("jump", [-86_400_000, -3000, 3000, 86_400_000])
def test_D03_a_clock_that_was_set_is_followed_at_once(jump: int) -> None:
    clock = heard((0, 0), (2, 2000), (4, 4000 + jump))
    assert clock.now(5) == START + 5000 + jump
    assert not clock.is_sure
    clock.hear(START + 6000 + jump, 6, 6)
    assert clock.is_sure


def test_D03_a_replay_that_begins_anew_is_followed_at_its_speed() -> None:
    clock = heard((0, 0), (2, 120_000), (4, 240_000), (6, 0), (8, 120_000))
    assert clock.now(9) == START + 180_000


def test_D03_a_clock_that_stands_still_is_so() -> None:
    clock = heard((0, 0), (2, 0))
    assert clock.now(60) == START
