"""What the rows of a file have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from trading_api.modules.datafeed.importing.bar_reader import Numbered
from trading_api.modules.datafeed.importing.noise_check import NoiseCheck
from trading_api.modules.datafeed.importing.precision_check import PrecisionCheck
from trading_api.modules.datafeed.importing.problems import ProblemLog
from trading_api.modules.datafeed.importing.session_check import SessionCheck
from trading_api.modules.datafeed.importing.source import Counted
from trading_api.modules.datafeed.importing.spacing import Spacing


@dataclass(slots=True)
class Tally:
    """`first` and `last` are bar times, ms UTC; the scales are the most decimals of any price and volume."""

    problems: ProblemLog
    sessions: SessionCheck
    precision: PrecisionCheck | None = None
    """None where the instrument becomes as fine as the bars are."""
    noise: NoiseCheck | None = None
    """None where it does not."""
    counted: Counted = "line"
    rows: int = 0
    first: int | None = None
    last: int | None = None
    price_scale: int = 0
    volume_scale: int = 0
    spacing: Spacing = field(default_factory=Spacing)

    def note(self, bars: Sequence[Numbered]) -> None:
        if not bars:
            return
        times = [bar.time for _, bar in bars]
        lowest, highest = min(times), max(times)
        self.first = lowest if self.first is None else min(self.first, lowest)
        self.last = highest if self.last is None else max(self.last, highest)
        self.price_scale = max(self.price_scale, max(bar.price_scale for _, bar in bars))
        self.volume_scale = max(self.volume_scale, max(bar.volume_scale for _, bar in bars))
        self.spacing.note_all(times)
        self.sessions.note(times)
        if self.precision is not None:
            self.precision.note([bar for _, bar in bars])
        if self.noise is not None:
            self.noise.note(bars)

    def warnings(self) -> tuple[str, ...]:
        resolution = self.sessions.resolution
        daily = resolution.minutes is not None and self.spacing.daily
        spacing = [f"these look like daily bars; is --resolution {resolution} right?"] if daily else []
        precision = self.precision.warnings() if self.precision is not None else ()
        noise = self.noise.warnings(self.price_scale, self.volume_scale) if self.noise is not None else ()
        return (*spacing, *self.sessions.warnings(), *precision, *noise)
