"""A million one-minute bars from CSV and Parquet into the store, beside polars that only reads the same text."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.result import Result, ratios
from support.project import Project

ROWS = 1_000_000
_MOST_RUNS = 3
_TIMEOUT_S = 300
# Each in a process of its own, which tells the seconds of the work alone and the most memory that it ever had.
_TELL = """
import json, re, sys, time
from pathlib import Path
{load}
began = time.perf_counter()
{work}
seconds = time.perf_counter() - began
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
print(json.dumps([seconds, peak / 2**20]))
"""
_IMPORT = _TELL.format(
    load="from trading_api.modules.datafeed.commands import main", work="assert main(sys.argv[1:]) == 0"
)
_POLARS = _TELL.format(load="import polars", work=f"assert polars.read_csv(sys.argv[1]).height == {ROWS}")


def run(project: Project, runs: int) -> Iterator[Result]:
    """Every run imports into a store that is not there yet."""
    text, table = project.folder / "bars.csv", project.folder / "bars.parquet"
    _write_csv(text)
    _write_parquet(text, table)
    peer, csv, checked, parquet = [], [], [], []
    for number in range(min(runs, _MOST_RUNS)):
        peer.append(_told(project, _POLARS, str(text)))
        csv.append(_imported(project, text, f"csv-{number}.db"))
        checked.append(_imported(project, text, f"checked-{number}.db", "--dry-run"))
        parquet.append(_imported(project, table, f"parquet-{number}.db"))
    seconds = tuple(pair[0] for pair in csv)
    yield Result("import of CSV", _rates(csv), "rows/s", note="read, checked, stored and rolled up; one million rows")
    yield Result("import of CSV, --dry-run", _rates(checked), "rows/s", note="read and checked, nothing stored")
    yield Result("import of Parquet", _rates(parquet), "rows/s", note="of floats, as pandas writes them")
    yield Result("polars.read_csv alone", _rates(peer), "rows/s", note="the same file into memory, on all cores")
    yield Result("import of CSV against polars.read_csv", ratios(seconds, [pair[0] for pair in peer]), "x the time")
    most = tuple(pair[1] for pair in csv)
    yield Result("memory of an import of CSV", most, "MiB peak", limit=150, note="one million rows")
    yield Result("memory of an import of Parquet", tuple(pair[1] for pair in parquet), "MiB peak", limit=250)


def _rates(measured: list[tuple[float, float]]) -> tuple[float, ...]:
    return tuple(ROWS / seconds for seconds, _ in measured)


def _imported(project: Project, file: Path, store: str, *options: str) -> tuple[float, float]:
    url = f"sqlite:///{project.folder / store}"
    argv = [str(file), "--symbol", "BTCUSD", "--resolution", "1", "--store", url, "--json", *options]
    return _told(project, _IMPORT, *argv)


def _told(project: Project, code: str, *argv: str) -> tuple[float, float]:
    """Seconds and MiB."""
    command = [sys.executable, "-P", "-c", code, *argv]
    done = subprocess.run(
        command, env=project.env(), capture_output=True, text=True, check=True, timeout=_TIMEOUT_S, cwd=project.folder
    )
    seconds, peak = json.loads(done.stdout.splitlines()[-1])
    return seconds, peak


def _write_csv(path: Path) -> None:
    """A random walk on a 0.01 tick, around the clock, with a fractional volume."""
    rng, price = random.Random(4), 1_000_000
    start, minute = datetime(2024, 1, 1, tzinfo=UTC), timedelta(minutes=1)
    with path.open("w", encoding="utf-8") as file:
        file.write("time,open,high,low,close,volume\n")
        for number in range(ROWS):
            first, price = price, max(10_000, price + rng.randint(-150, 150))
            low, high = min(first, price) - rng.randint(0, 80), max(first, price) + rng.randint(0, 80)
            prices = ",".join(f"{value // 100}.{value % 100:02d}" for value in (first, high, low, price))
            when = (start + number * minute).strftime("%Y-%m-%d %H:%M:%S")
            file.write(f"{when},{prices},{rng.randint(0, 10**8) / 10**4}\n")


def _write_parquet(text: Path, table: Path) -> None:
    """In one row group, so that it cannot be what bounds the memory."""
    code = (
        "import sys\nfrom pyarrow import csv, parquet\n"
        f"parquet.write_table(csv.read_csv(sys.argv[1]), sys.argv[2], row_group_size={ROWS})"
    )
    subprocess.run([sys.executable, "-c", code, str(text), str(table)], check=True, timeout=_TIMEOUT_S)
