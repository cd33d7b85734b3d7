"""Subscriptions kept equal to what is wanted, within what a connection may ask (D03)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_clock import FakeClock

from trading_api.modules.broker.market.subscriptions import MAX_HELD, WINDOW, Subscriptions


class Feed:
    """The other end: answers what is sent, when the test wants it to."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.asked = Subscriptions(self.clock)
        self.held: set[str] = set()
        self.waiting: list[tuple[int, str, str]] = []
        self.sent = 0

    def send(self) -> int:
        """Take what is to be sent; how many frames."""
        frames = [json.loads(frame) for frame in self.asked.next_frames()]
        for frame in frames:
            (symbol,) = frame["payload"]["fast_symbols"]
            self.waiting.append((frame["id"], frame["type"], symbol))
        self.sent += len(frames)
        return len(frames)

    def answer(self, *, ok: bool = True) -> None:
        number, kind, symbol = self.waiting.pop(0)
        if ok:
            (self.held.add if kind == "quotes.subscribe" else self.held.discard)(symbol)
        self.asked.answered(number, ok=ok)

    def settle(self) -> None:
        """Until nothing is left to do."""
        for _ in range(10_000):
            while self.waiting:
                self.answer()
            if not self.send():
                wait = self.asked.wait_s()
                if wait is None:
                    return
                self.clock.now += wait
        raise AssertionError("it never comes to rest")


def test_D03_a_frame_asks_for_one_symbol_as_a_fast_one() -> None:
    feed = Feed()
    feed.asked.want(frozenset({"AAPL"}))
    (frame,) = feed.asked.next_frames()
    assert json.loads(frame) == {"type": "quotes.subscribe", "payload": {"fast_symbols": ["AAPL"]}, "id": 1}
    assert list(feed.asked.next_frames()) == [], "it is asked once"
    assert not feed.asked.holds("AAPL")
    feed.asked.answered(1, ok=True)
    assert feed.asked.holds("AAPL")


@settings(max_examples=50)
@given(st.lists(st.tuples(st.frozensets(st.sampled_from("ABCDE")), st.integers(0, 9), st.booleans()), max_size=12))
def test_D03_in_the_end_it_holds_what_is_wanted_whatever_was_refused_meanwhile(
    steps: list[tuple[frozenset[str], int, bool]],
) -> None:
    feed = Feed()
    wanted: frozenset[str] = frozenset()
    for wanted, answers, ok in steps:
        feed.asked.want(wanted)
        feed.send()
        for _ in range(min(answers, len(feed.waiting))):
            feed.answer(ok=ok)
    feed.settle()
    assert feed.held == wanted
    assert {symbol for symbol in "ABCDE" if feed.asked.holds(symbol)} == wanted


def test_D03_no_more_wait_for_their_answers_than_a_window() -> None:
    feed = Feed()
    feed.asked.want(frozenset(f"S{number}" for number in range(200)))
    assert feed.send() == WINDOW
    feed.answer()
    assert feed.send() == 1
    feed.settle()
    assert len(feed.held) == 200


def test_D03_no_more_are_held_than_a_connection_may() -> None:
    feed = Feed()
    feed.asked.want(frozenset(f"S{number:04}" for number in range(MAX_HELD + 50)))
    feed.settle()
    assert len(feed.held) == MAX_HELD
    assert feed.sent == MAX_HELD, "nothing is asked in vain"
    feed.asked.want(frozenset(f"S{number:04}" for number in range(10, MAX_HELD + 20)))
    feed.settle()
    assert len(feed.held) == MAX_HELD


def test_D03_what_is_given_up_is_told_slowly_for_the_datafeed_counts_it() -> None:
    feed = Feed()
    feed.asked.want(frozenset("ABCD"))
    feed.settle()
    feed.asked.want(frozenset())
    begun = feed.clock.now
    assert feed.send() == 1
    feed.settle()
    assert feed.held == set()
    assert feed.clock.now - begun >= 3 / 50


def test_D03_what_was_refused_is_tried_again_after_a_while_and_only_then() -> None:
    feed = Feed()
    feed.asked.want(frozenset("A"))
    feed.send()
    feed.answer(ok=False)
    assert feed.send() == 0
    assert feed.asked.wait_s() == pytest.approx(5)
    feed.clock.now += 5.01
    assert feed.send() == 1
    feed.answer()
    assert feed.asked.wait_s() is None


def test_D03_a_new_connection_begins_with_nothing() -> None:
    feed = Feed()
    feed.asked.want(frozenset("AB"))
    feed.settle()
    feed.asked.reset()
    assert not feed.asked.holds("A")
    assert feed.send() == 2


@pytest.mark.parametrize("number", [None, "1", 99, 1.5, [], True])
def test_D03_answers_to_nothing_change_nothing(number: object) -> None:
    feed = Feed()
    feed.asked.answered(number, ok=True)
    assert feed.asked.wait_s() is None
