"""What has lived long is not looked at again and again: every request would wait meanwhile (D04)."""

import gc
from collections.abc import Iterator

import pytest
from support.fake_clock import FakeClock

from trading_api.server.old_objects import LONG_S, WHOLE_EVERY_S, OldObjects, spare_old_objects


class Collector:
    """Collections as gc tells of them, and what was asked of it."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.asked: list[str] = []
        self.watch = OldObjects(
            clock=self.clock,
            freeze=lambda: self.asked.append("freeze"),
            unfreeze=lambda: self.asked.append("unfreeze"),
        )

    def collect(self, took: float, generation: int = 2) -> list[str]:
        """What was asked for at the end of one that took so many seconds."""
        self.asked.clear()
        info = {"generation": generation, "collected": 0, "uncollectable": 0}
        self.watch("start", info)
        self.clock.now += took
        self.watch("stop", info)
        return list(self.asked)


def test_D04_only_what_survived_a_long_look_at_everything_is_set_apart() -> None:
    collector = Collector()
    assert collector.collect(LONG_S / 2) == []
    assert collector.collect(LONG_S * 2, generation=1) == []
    assert collector.collect(LONG_S * 2) == ["freeze"]
    assert collector.collect(LONG_S / 2) == []
    assert collector.collect(LONG_S * 2) == ["freeze"], "so much came to it"


def test_D04_what_was_set_apart_is_looked_at_every_ten_minutes() -> None:
    collector = Collector()
    collector.collect(LONG_S * 2)
    collector.clock.now += WHOLE_EVERY_S
    assert collector.collect(LONG_S / 2) == ["unfreeze"], "the next one looks at all"
    assert collector.collect(LONG_S / 2) == ["freeze"], "however quick it was"
    assert collector.collect(LONG_S / 2) == []
    collector.clock.now += WHOLE_EVERY_S / 2
    assert collector.collect(LONG_S / 2) == []
    collector.clock.now += WHOLE_EVERY_S / 2
    assert collector.collect(LONG_S / 2) == ["unfreeze"]


def test_D04_a_small_process_is_left_as_it_was() -> None:
    collector = Collector()
    for _ in range(5):
        collector.clock.now += WHOLE_EVERY_S * 2
        assert collector.collect(LONG_S / 2) == []


@pytest.fixture
def callbacks() -> Iterator[None]:
    """Python's own list, as it was before."""
    before = list(gc.callbacks)
    yield
    gc.callbacks[:] = before


@pytest.mark.usefixtures("callbacks")
def test_D04_it_listens_to_the_collector_once() -> None:
    spare_old_objects()
    spare_old_objects()
    assert sum(isinstance(callback, OldObjects) for callback in gc.callbacks) == 1
    gc.collect()
