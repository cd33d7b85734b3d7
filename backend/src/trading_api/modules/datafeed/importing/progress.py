"""What an import tells while it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from enum import StrEnum
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

_SILENT_SECONDS = 0.3
_REFRESH_SECONDS = 0.1
_WIDE = 60


class Stage(StrEnum):
    """What an import is busy with."""

    READING = "reading"
    COMPARING = "comparing"
    WAITING = "waiting for another writer"
    WRITING = "writing"


Progress = Callable[[Stage, int, float | None], None]
"""Told the stage, how many rows there are, and which fraction of the stage is done (0 to 1; None: nobody knows)."""


class ProgressBar:
    """Shows on a terminal how far a long import is, and leaves no trace; silent when the import is short, or elsewhere.

    Implements Progress.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        """By default `stream` is standard error."""
        self.stage = Stage.READING
        self._stream = stream or sys.stderr
        self._enabled = self._stream.isatty()
        self._cleanup = ExitStack()
        self._bar: RichProgress | None = None
        self._stage_began = self._began = time.monotonic()
        self._next = self._began + _SILENT_SECONDS

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._cleanup.close()

    def __call__(self, stage: Stage, rows: int, fraction: float | None) -> None:
        now = time.monotonic()
        if stage is not self.stage:
            self.stage, self._stage_began = stage, now
        elif now < self._next:
            return
        if self._enabled and now >= self._began + _SILENT_SECONDS:
            self._next = now + _REFRESH_SECONDS
            self._show(stage, rows, fraction, now - self._stage_began)

    def _show(self, stage: Stage, rows: int, fraction: float | None, seconds: float) -> None:
        bar = self._bar or self._start(stage)
        (task,) = bar.tasks
        if task.description != stage:
            # The time that is left of another stage follows from its own pace.
            bar.reset(task.id, description=stage.value)
        rate = f"{rows / seconds:,.0f} rows/s" if stage is Stage.READING and seconds else ""
        total = None if fraction is None else 1.0
        bar.update(task.id, completed=fraction or 0.0, total=total, rows=f"{rows:,} rows", rate=rate)
        bar.refresh()

    def _start(self, stage: Stage) -> RichProgress:
        # Loaded only where it is seen: it takes as long as importing thousands of rows.
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
        from rich.table import Column

        def text(template: str) -> TextColumn:
            return TextColumn(template, table_column=Column(no_wrap=True))

        console = Console(file=self._stream)
        columns = [
            text("{task.description}"),
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            text("{task.percentage:>3.0f}%"),
            text("{task.fields[rows]}"),
            text("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True, table_column=Column(no_wrap=True)),
        ]
        shown = columns if console.width >= _WIDE else columns[:3]
        bar = Progress(*shown, console=console, auto_refresh=False, transient=True, expand=True)
        bar.add_task(stage.value, rows="", rate="")
        self._bar = self._cleanup.enter_context(bar)
        return self._bar
