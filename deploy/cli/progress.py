"""Progress on standard error: a live table on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import TYPE_CHECKING

from deploy.runtime.progress import Progress, Silent

if TYPE_CHECKING:
    from rich.live import Live
    from rich.table import Table

_STYLES = {"healthy": "green", "starting": "yellow", "stopped": "dim", "failed": "red"}


@contextmanager
def watching(*, as_json: bool, verbose: bool = False) -> Iterator[Progress]:
    """The progress that suits the terminal and the flags."""
    if as_json:
        yield Silent()
    elif sys.stderr.isatty() and not verbose:
        with LiveProgress() as live:
            yield live
    else:
        yield PlainProgress(verbose=verbose)


class PlainProgress:
    """A line per event, with the seconds since the start."""

    def __init__(self, *, verbose: bool) -> None:
        self._start = time.monotonic()
        self._verbose = verbose

    def note(self, text: str) -> None:
        self._print(text)

    def stage(self, text: str) -> None:
        if self._verbose:
            self._print(text)

    def process(self, name: str, state: str, detail: str = "") -> None:
        self._print(f"{name:<24} {state}{f': {detail}' if detail else ''}")

    def _print(self, text: str) -> None:
        # Nobody may be there to read it (`| head`, a closed terminal); the work goes on all the same.
        with suppress(OSError):
            print(f"[{time.monotonic() - self._start:6.2f}s] {text}", file=sys.stderr, flush=True)


class LiveProgress:
    """A table that changes in place. rich is imported with the first process, while the servers start."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._stage = ""
        self._rows: dict[str, tuple[str, float]] = {}
        self._live: Live | None = None

    def __enter__(self) -> "LiveProgress":
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._live is not None:
            with suppress(OSError):
                self._live.stop()

    def note(self, text: str) -> None:
        with suppress(OSError):
            if self._live is not None:
                self._live.console.print(text, markup=False)
            else:
                print(text, file=sys.stderr)

    def stage(self, text: str) -> None:
        self._stage = text
        self._draw()

    def process(self, name: str, state: str, detail: str = "") -> None:  # noqa: ARG002 (the table has no room for it)
        self._rows[name] = (state, time.monotonic() - self._start)
        self._draw()

    def _draw(self) -> None:
        with suppress(OSError):
            self._show()

    def _show(self) -> None:
        if self._live is None and self._rows:
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), transient=True, get_renderable=self._table)
            self._live.start()
        elif self._live is not None:
            self._live.refresh()

    def _table(self) -> "Table":
        from rich.table import Table

        table = Table(title=f"{self._stage} … {time.monotonic() - self._start:.1f} s", box=None, title_justify="left")
        for name, (state, at) in self._rows.items():
            style = _STYLES.get(state, "")
            table.add_row(name, f"[{style}]{state}[/]" if style else state, f"{at:.2f} s" if state == "healthy" else "")
        return table
