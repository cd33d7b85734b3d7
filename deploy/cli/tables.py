"""Tables on standard output."""

import os
import sys

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.runtime.status import ProcessStatus, TreeStatus
from deploy.units import format_bytes, format_duration

_COLUMNS = ("process", "state", "health", "pid", "address", "modules", "uptime", "cpu", "memory", "restarts")
_RIGHT = frozenset({"pid", "uptime", "cpu", "memory", "restarts"})


def console() -> Console:
    """Standard output; as wide as the text needs where it is no terminal."""
    if sys.stdout.isatty():
        return Console()
    return Console(width=int(os.environ.get("COLUMNS", "0")) or 200, color_system=None)


def print_status(tree: TreeStatus) -> None:
    """One row a process; below it, why those that failed did."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in _COLUMNS:
        table.add_column(
            column, justify="right" if column in _RIGHT else "left", no_wrap=column in ("process", "address")
        )
    for process in tree.processes:
        table.add_row(*_cells(process), style=None if process.healthy else "red")
    out = console()
    out.print(table)
    for process in tree.processes:
        if process.reason:
            out.print(f"{process.name}: {process.reason}", markup=False, highlight=False, soft_wrap=True)


def _cells(process: ProcessStatus) -> tuple[str, ...]:
    alive = process.state in ("RUNNING", "STARTING")
    return (
        process.name,
        process.state,
        escape(process.health),
        str(process.pid) if alive else "",
        process.address,
        ", ".join(process.modules),
        format_duration(process.uptime) if alive else "",
        f"{process.cpu:.1f}s" if alive else "",
        format_bytes(process.memory) if alive else "",
        str(process.restarts),
    )
