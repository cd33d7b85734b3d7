"""The bound on a client's messages (W04)."""

from hypothesis import given
from hypothesis import strategies as st

from trading_api.shared.ws.rate import MessageRate, Verdict


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def verdicts(rate: MessageRate, count: int) -> list[Verdict]:
    return [rate.judge() for _ in range(count)]


def test_W04_a_burst_is_taken_then_refused_then_a_flood() -> None:
    rate = MessageRate(10, 3, Clock())
    assert verdicts(rate, 7) == [Verdict.TAKEN] * 3 + [Verdict.REFUSED] * 2 + [Verdict.FLOOD] * 2


def test_W04_whoever_pauses_is_served_again() -> None:
    clock = Clock()
    rate = MessageRate(10, 3, clock)
    verdicts(rate, 5)
    clock.now += 0.35
    assert verdicts(rate, 2) == [Verdict.TAKEN, Verdict.REFUSED]
    clock.now += 1000
    assert verdicts(rate, 4) == [Verdict.TAKEN] * 3 + [Verdict.REFUSED]


@given(gaps=st.lists(st.floats(0.1, 5), max_size=100))
def test_W04_a_client_that_keeps_to_the_rate_is_never_refused(gaps: list[float]) -> None:
    clock = Clock()
    rate = MessageRate(10, 3, clock)
    for gap in gaps:
        clock.now += gap
        assert rate.judge() is Verdict.TAKEN


@given(gaps=st.lists(st.floats(0, 0.5), max_size=200))
def test_W04_no_more_is_taken_than_the_rate_and_one_burst(gaps: list[float]) -> None:
    clock = Clock()
    rate, taken = MessageRate(10, 3, clock), 0
    for gap in gaps:
        clock.now += gap
        taken += rate.judge() is Verdict.TAKEN
    assert taken <= 3 + 10 * sum(gaps) + 1e-6
