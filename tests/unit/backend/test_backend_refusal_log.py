"""Refusals that the program means are one line of the log, however often they are given (P13)."""

import logging
from collections.abc import Iterator

import pytest

from trading_api.shared.refusal_log import EVERY_S, MOST_KINDS, RefusalLog


class Bench:
    """A log by a clock that tests move."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        self.now = 0.0
        self.log = RefusalLog(lambda: self.now)
        self._caplog = caplog

    def warnings(self) -> list[str]:
        """Since the last call."""
        told = [record.getMessage() for record in self._caplog.records if record.levelno == logging.WARNING]
        assert not any(record.exc_info for record in self._caplog.records)
        self._caplog.clear()
        return told


@pytest.fixture
def bench(caplog: pytest.LogCaptureFixture) -> Iterator[Bench]:
    with caplog.at_level(logging.DEBUG, logger="trading_api"):
        yield Bench(caplog)


def test_P13_a_refusal_is_told_when_it_first_comes_and_then_once_a_minute_with_its_number(bench: Bench) -> None:
    for _ in range(100):
        bench.log.tell("503 wait")
    assert bench.warnings() == ["503 wait"]
    bench.now = EVERY_S
    bench.log.tell("503 wait")
    assert bench.warnings() == ["503 wait; and 99 times more since it was last told"]
    bench.now = 5 * EVERY_S
    bench.log.tell("503 wait")
    assert bench.warnings() == ["503 wait"]


def test_P13_the_log_alone_has_the_cause_and_every_refusal_at_debug(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.log.tell("503 try again", "/path is locked")
    bench.log.tell("503 try again", "/path is full")
    assert caplog.records[-1].getMessage() == "503 try again (/path is full)"
    assert bench.warnings() == ["503 try again (/path is locked)"]
    bench.log.tell("503 said already", "said already")
    assert bench.warnings() == ["503 said already"]


def test_P13_refusals_that_are_all_different_do_not_fill_the_log(bench: Bench) -> None:
    for number in range(1000):
        bench.log.tell(f"503 {number}")
    assert len(bench.warnings()) == MOST_KINDS
    bench.now = EVERY_S
    bench.log.tell("503 another")
    assert bench.warnings() == ["503 another"]
    assert len(bench.log._told) == 1, "and not the memory"
