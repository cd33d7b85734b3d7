"""Imports by real processes that are killed, interrupted, locked out, or fed a file that changes."""

import contextlib
import json
import os
import pty
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from support.open_files import has_open
from support.waiting import wait_until

from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.resolution import Resolution

pytestmark = pytest.mark.integration

HEADER = "time,open,high,low,close,volume\n"
START, MINUTE = 1_704_153_600, 60
_SAY_LOADED = "import sys; from trading_api.modules.datafeed.commands import main; code = main(sys.argv[1:]);"


def rows(first: int, count: int) -> str:
    return "".join(f"{START + index * MINUTE},1.5,2.25,1.25,2,{index}.5\n" for index in range(first, first + count))


class Bench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "data" / "trading.db"
        self.environment = {**os.environ, "TRADING_STORE_URL": f"sqlite:///{self.database}"}

    def write(self, name: str, first: int, count: int) -> Path:
        path = self.folder / name
        path.write_text(HEADER + rows(first, count))
        return path

    def argv(self, file: Path, *options: str, symbol: str = "BTCUSD") -> list[str]:
        command = [sys.executable, "-m", "trading_api", "import", str(file)]
        return [*command, "--symbol", symbol, "--resolution", "1", *options]

    def start(self, file: Path, *options: str) -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        return subprocess.Popen(
            self.argv(file, *options), env=self.environment, cwd=self.folder, text=True, stdout=pipe, stderr=pipe
        )

    def run(self, file: Path, *options: str) -> tuple[int, str]:
        with self.start(file, *options) as process:
            _, err = process.communicate(timeout=300)
        return process.returncode, err

    def count(self, resolution: str = "1") -> int:
        with closing(open_store(self.environment["TRADING_STORE_URL"])) as store:
            return len(store.series(SeriesKey("BTCUSD", Resolution(resolution))).newest(end=None, limit=10**6))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize(
    "how", [signal.SIGKILL, *(pytest.param(each, marks=pytest.mark.long) for each in (signal.SIGINT, signal.SIGTERM))]
)
def test_D02_import_that_is_stopped_while_it_reads_leaves_nothing(bench: Bench, how: signal.Signals) -> None:
    assert bench.run(bench.write("first.csv", 0, 5)) == (0, "")
    file = bench.write("more.csv", 0, 80_000)
    with bench.start(file) as importer:
        wait_until(lambda: has_open(importer.pid, file), timeout=60, what="the import to be reading")
        importer.send_signal(how)
        _, err = importer.communicate(timeout=60)
    assert bench.count() == 5
    assert importer.returncode == (-how if how is signal.SIGKILL else 1)
    if how is not signal.SIGKILL:
        assert "interrupted; nothing was written; run it again, which is safe" in err
        assert bench.run(file)[0] == 0
        assert bench.count() == 80_000
    assert "Traceback" not in err


@pytest.mark.parametrize("how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_D02_import_that_is_stopped_tells_programs_so(bench: Bench, how: signal.Signals) -> None:
    file = bench.write("more.csv", 0, 80_000)
    with bench.start(file, "--json") as importer:
        wait_until(lambda: has_open(importer.pid, file), timeout=60, what="the import to be reading")
        importer.send_signal(how)
        out, err = importer.communicate(timeout=60)
    assert (importer.returncode, err) == (1, "")
    assert json.loads(out)["error"] == "interrupted; nothing was written; run it again, which is safe"


@pytest.mark.parametrize(("how", "options"), [(signal.SIGINT, ("--json",)), (signal.SIGTERM, ())])
def test_D02_import_that_is_stopped_while_it_is_loaded_says_so(
    bench: Bench, how: signal.Signals, options: tuple[str, ...]
) -> None:
    # So many that it is not done before the signal comes, however busy the machine.
    with bench.start(bench.write("more.csv", 0, 100_000), *options) as importer:
        maps = Path(f"/proc/{importer.pid}/maps")
        # One of the first large libraries; many follow.
        wait_until(lambda: "_pydantic_core" in maps.read_text(), step=0.002, what="the import to be loaded")
        importer.send_signal(how)
        out, err = importer.communicate(timeout=60)
    assert importer.returncode == 1
    message = "interrupted; nothing was written; run it again, which is safe"
    if options:
        assert (json.loads(out)["error"], err) == (message, "")
    else:
        assert (out, err) == ("", f"python -m trading_api import: {message}\n")
    assert not bench.database.exists()


@pytest.mark.long
def test_D02_import_that_is_killed_at_any_moment_is_all_or_nothing(bench: Bench) -> None:
    """The moments are chosen by how far the store's files have grown, so that writing is among them."""
    assert bench.run(bench.write("first.csv", 0, 5))[0] == 0
    file = bench.write("more.csv", 0, 40_000)
    for threshold in (1, 200_000, 1_000_000):
        with bench.start(file) as importer:
            wait_until(
                lambda size=threshold: importer.poll() is not None or _written(bench) > size,  # type: ignore[misc]
                timeout=300,
                what="the import to write",
            )
            importer.kill()
            importer.communicate(timeout=60)
        assert bench.count() in {5, 40_000}
        assert bench.count("5") in {1, 8_000}, "what is computed goes with what is imported"
    assert bench.run(file)[0] == 0
    assert (bench.count(), bench.count("5")) == (40_000, 8_000)


def _written(bench: Bench) -> int:
    """Bytes waiting beside the store's file."""
    log = bench.database.with_name("trading.db-wal")
    with contextlib.suppress(FileNotFoundError):
        return log.stat().st_size
    return 0


def test_D02_import_into_a_locked_store_waits_and_then_says_so(bench: Bench) -> None:
    assert bench.run(bench.write("first.csv", 0, 5))[0] == 0
    with closing(sqlite3.connect(bench.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, err = bench.run(bench.write("more.csv", 0, 10), "--wait", "0.1")
        other.execute("ROLLBACK")
    assert code == 1
    assert re.search(r"locked|busy", err)
    assert err.endswith("nothing was written\n")
    assert bench.count() == 5


def test_D02_file_that_grows_while_it_is_read_is_refused(bench: Bench) -> None:
    file = bench.write("growing.csv", 0, 200_000)
    with bench.start(file) as importer:
        wait_until(lambda: has_open(importer.pid, file), timeout=60, what="the import to be reading")
        with file.open("a") as more:
            more.write(rows(200_000, 1))
        _, err = importer.communicate(timeout=60)
    assert importer.returncode == 1
    assert "the file changed while it was read; import it when it is complete" in err
    assert not bench.database.exists()


def test_D02_file_that_is_replaced_while_it_is_read_is_imported_as_it_was(bench: Bench) -> None:
    file = bench.write("file.csv", 0, 80_000)
    other = bench.write("other.csv", 0, 3)
    with bench.start(file) as importer:
        wait_until(lambda: has_open(importer.pid, file), timeout=60, what="the import to be reading")
        other.replace(file)
        importer.communicate(timeout=300)
    assert importer.returncode == 0
    assert bench.count() == 80_000


def test_D02_file_that_the_disk_does_not_give_is_refused(bench: Bench) -> None:
    """A process may open its own memory but cannot read it at 0: the error that a bad disk gives."""
    memory = Path("/proc/self/mem")
    if not memory.exists():
        pytest.skip("needs /proc")
    code, err = bench.run(memory)
    assert code == 1
    assert "/proc/self/mem: cannot be read: Input/output error" in err


@pytest.mark.parametrize("kilobytes", [300, *(pytest.param(each, marks=pytest.mark.long) for each in (60, 1_000))])
def test_D02_import_that_runs_out_of_disk_stores_nothing(bench: Bench, kilobytes: int) -> None:
    """The limit is one of the size of a file: of the place aside where rows are gathered, or of the store."""
    assert bench.run(bench.write("first.csv", 0, 5))[0] == 0
    argv = bench.argv(bench.write("more.csv", 0, 30_000))
    limited = ["bash", "-c", f'ulimit -f {kilobytes}; exec "$@"', "import", *argv]
    done = subprocess.run(limited, env=bench.environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1, done.stderr
    assert re.search(r"full|disk|space|large", done.stderr)
    assert done.stderr.endswith("nothing was written\n")
    assert "Traceback" not in done.stderr
    assert (bench.count(), bench.count("5")) == (5, 1)


# Not getrusage: there a child begins with what its parent had.
_MEASURE = """
import re, sys
from pathlib import Path
from trading_api.modules.datafeed.commands import main
code = main(sys.argv[1:])
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
sys.exit(code)
"""


@pytest.mark.long
def test_D02_million_rows_are_checked_in_bounded_memory(bench: Bench) -> None:
    """A million bars as Python tuples would need well over 200 MiB."""
    file = bench.folder / "million.csv"
    with file.open("w") as lines:
        lines.write(HEADER)
        lines.writelines(f"{START + minute * MINUTE},1.5,2.25,1.25,2,{minute}\n" for minute in range(1_000_000))
    argv = bench.argv(file, "--dry-run")[4:]
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *argv], env=bench.environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert "1000000 new, 0 updated, 0 unchanged, 0 repeated" in done.stdout
    assert int(done.stdout.splitlines()[-1]) < 150


def test_D02_two_imports_at_once_are_both_stored(bench: Bench) -> None:
    rng = random.Random(4)
    files = [bench.write(f"{number}.csv", rng.randrange(3_000), 3_000) for number in range(3)]
    importers = [bench.start(file) for file in files]
    said = [importer.communicate(timeout=300)[1] for importer in importers]
    assert [importer.returncode for importer in importers] == [0, 0, 0], said
    times = {line.partition(",")[0] for file in files for line in file.read_text().splitlines()[1:]}
    assert bench.count() == len(times)


@pytest.mark.parametrize(("suffix", "loaded"), [("csv", False), ("parquet", True)])
def test_D02_only_parquet_files_load_pyarrow(bench: Bench, suffix: str, loaded: bool) -> None:
    file = bench.write("file.csv", 0, 3)
    if suffix == "parquet":
        from pyarrow import csv, parquet  # type: ignore[import-untyped]

        parquet.write_table(csv.read_csv(file), bench.folder / "file.parquet")
    argv = bench.argv(bench.folder / f"file.{suffix}")[4:]
    code = _SAY_LOADED + "print(sorted({'pyarrow', 'pandas', 'polars', 'rich'} & {*sys.modules})); sys.exit(code)"
    done = subprocess.run(
        [sys.executable, "-c", code, *argv], env=bench.environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == ("['pyarrow']" if loaded else "[]")


def test_D02_long_import_shows_a_bar_on_a_terminal_and_clears_it(bench: Bench) -> None:
    file = bench.write("big.csv", 0, 150_000)
    leader, follower = pty.openpty()
    try:
        environment = {**bench.environment, "TERM": "xterm", "COLUMNS": "100"}
        process = subprocess.Popen(
            bench.argv(file, "--dry-run"), env=environment, stdout=subprocess.DEVNULL, stderr=follower
        )
        os.close(follower)
        shown = b"".join(_read(leader))
        assert process.wait(timeout=60) == 0
    finally:
        os.close(leader)
    assert b"reading" in shown
    assert b"rows/s" in shown
    assert shown.rstrip().endswith(b"\x1b[2K"), "the line was not cleared"


def _read(descriptor: int) -> Iterator[bytes]:
    # Reading fails is how a pseudo-terminal ends on Linux.
    with contextlib.suppress(OSError):
        while chunk := os.read(descriptor, 4096):
            yield chunk
