"""What wakes watch mode (M04)."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.fake_clock import FakeClock

from trading_api.server.reload.watcher import Watcher


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS polls")
def test_M04_files_are_looked_at_now_and_then_also_where_the_system_tells_of_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, told = FakeClock(), [set[object]()] * 3 + [{"a write"}] + [set[object]()] * 5

    def watch(_: Watcher) -> Iterator[set[object]]:
        yield from told

    monkeypatch.setattr(Watcher, "_watch", watch)
    monkeypatch.setattr(time, "monotonic", clock)
    watching, looks = Watcher(Path()), []
    for _ in told:
        looks.append(watching.wait())
        clock.now += 4
    opened, write, anyhow = 0, 3, 6
    assert [number for number, look in enumerate(looks) if look] == [opened, write, anyhow]
