"""Symbols to trade in tests, whatever the time of day: the shipped ones that trade around the clock are one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from trading_api.modules.datafeed.instruments.instrument_commands import main

_ENTRY = """\
{name}:
  exchange: TEST
  type: crypto
  description: For tests
  session: {session}
  timezone: Etc/UTC
  pricescale: 100
  minmov: 1
  volume_precision: 2
"""
TRADED = ("ALFA", "BETA", "MUTE", "OLDQ")
"""Around the clock, on a tick and a step of 0.01. MUTE is never quoted, OLDQ not in time."""
CLOSED = "SHUT"
"""Its market is closed for hours yet."""


def add_instruments(store_url: str, folder: Path) -> None:
    """Put them into a store. `folder` takes a file."""
    opens = datetime.now(UTC) - timedelta(hours=8)
    hours = f"{opens:%H}00-{opens + timedelta(hours=1):%H}30:1234567"
    entries = [_ENTRY.format(name=name, session="24x7") for name in TRADED]
    file = folder / "instruments.yaml"
    file.write_text("".join([*entries, _ENTRY.format(name=CLOSED, session=hours)]))
    assert main(["import", str(file), "--store", store_url]) == 0
