"""The datafeed in real processes on a real file: the command line, and a server that reads while another writes."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from support.open_files import has_open
from support.store_old import make_old_store
from support.waiting import wait_until

from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.resolution import Resolution

pytestmark = pytest.mark.integration

HEADER = "time,open,high,low,close,volume\n"
MINUTE = 60
START = 1_704_153_600


def rows(first: int, count: int) -> str:
    return "".join(f"{START + index * MINUTE},1.5,2.25,1.25,2,{index}.5\n" for index in range(first, first + count))


class Bench:
    """A folder with files to import and a store, and the environment that names it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "data" / "trading.db"
        self.environment = {
            **os.environ,
            "TRADING_STORE_URL": f"sqlite:///{self.database}",
            "ENABLED_MODULES": "datafeed",
        }

    def write(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content)
        return path

    def start(self, file: Path, *options: str, symbol: str = "BTCUSD") -> subprocess.Popen[str]:
        argv = [
            sys.executable,
            "-m",
            "trading_api",
            "import",
            str(file),
            "--symbol",
            symbol,
            "--resolution",
            "1",
            *options,
        ]
        return subprocess.Popen(
            argv, env=self.environment, cwd=self.folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def run(self, file: Path, *options: str, symbol: str = "BTCUSD") -> tuple[int, str, str]:
        with self.start(file, *options, symbol=symbol) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def count(self, symbol: str = "BTCUSD") -> int:
        with closing(open_store(f"sqlite:///{self.database}")) as store:
            return len(store.series(SeriesKey(symbol, Resolution.MINUTE_1)).newest(end=None, limit=10**6))

    @contextmanager
    def serving(self) -> Iterator[httpx.Client]:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        argv = [sys.executable, "-m", "trading_api", "serve", "--port", str(port)]
        with (self.folder / "serve.log").open("w") as log:
            process = subprocess.Popen(argv, env=self.environment, cwd=self.folder, stdout=log, stderr=log)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1/datafeed", timeout=60) as client:
                wait_until(lambda: _healthy(client, process), timeout=60, what="a healthy server")
                yield client
        finally:
            process.terminate()
            process.wait(60)


def _healthy(client: httpx.Client, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the server ended"
    try:
        return client.get("/health").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_D02_command_refuses_a_bad_file_with_exit_code_1(bench: Bench) -> None:
    file = bench.write("bad.csv", HEADER + rows(0, 2) + f"{START},1.5,1,1.25,2,1\n")
    code, out, err = bench.run(file)
    assert (code, out) == (1, "")
    assert f"{file}:4: high 1.00 is below low 1.25" in err
    assert err.endswith("nothing was written\n")
    assert not bench.database.exists()


def test_D02_command_without_arguments_is_exit_code_2(bench: Bench) -> None:
    argv = [sys.executable, "-m", "trading_api", "import"]
    done = subprocess.run(argv, env=bench.environment, cwd=bench.folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert "usage: python -m trading_api import" in done.stderr


def test_D02_what_one_process_imports_another_serves(bench: Bench) -> None:
    with bench.serving() as client:
        ask: dict[str, str | int] = {
            "symbol": "BTCUSD",
            "resolution": "1",
            "from_time": START,
            "to_time": START + MINUTE,
        }
        simulated = client.get("/bars", params=ask)
        assert simulated.status_code == 200
        assert simulated.json()["bars"][0]["open"] != 1.5
        assert not bench.database.exists(), "reading created the store"
        code, out, err = bench.run(bench.write("good.csv", HEADER + rows(0, 10)), "--json")
        assert (code, err) == (0, "")
        assert json.loads(out)["inserted"] == 10
        assert client.get("/bars", params=ask).text == (
            '{"bars":[{"time":1704153600000,"open":1.50,"high":2.25,"low":1.25,"close":2.00,"volume":0.5}],"no_data":false}'
        )


def test_D02_readers_see_all_of_an_import_or_nothing(bench: Bench) -> None:
    assert bench.run(bench.write("first.csv", HEADER + rows(0, 5)))[0] == 0
    file = bench.write("more.csv", HEADER + rows(0, 12_000))
    seen = set()
    with bench.serving() as client, bench.start(file) as importer:
        ask: dict[str, str | int] = {"symbol": "BTCUSD", "resolution": "1", "count_back": 20_000}

        def asked_until_done() -> bool:
            running = importer.poll() is None
            response = client.get("/bars", params=ask)
            assert response.status_code == 200, response.text
            seen.add(len(response.json()["bars"]))
            return not running

        wait_until(asked_until_done, timeout=60, what="the end of the import")
        importer.communicate(timeout=60)
    assert importer.returncode == 0
    assert seen <= {5, 12_000}
    assert 12_000 in seen


@pytest.mark.long
def test_D02_many_imports_at_once_into_a_store_that_is_not_there_yet(bench: Bench) -> None:
    overlapping = [bench.write(f"{n}.csv", HEADER + rows(n * 100, 200)) for n in range(4)]
    processes = [bench.start(file) for file in overlapping] + [bench.start(overlapping[0], symbol="NEW")]
    results = []
    for process in processes:
        with process:
            results.append((process.communicate(timeout=60), process.returncode))
    assert [code for _, code in results] == [0] * 5, results
    assert bench.count() == 500
    assert bench.count("NEW") == 200


def test_D02_killed_import_leaves_nothing(bench: Bench) -> None:
    assert bench.run(bench.write("first.csv", HEADER + rows(0, 5)))[0] == 0
    file = bench.write("more.csv", HEADER + rows(0, 60_000))
    with bench.start(file) as importer:
        wait_until(lambda: has_open(importer.pid, file), timeout=60, what="the import to be reading")
        importer.send_signal(signal.SIGKILL)
        importer.communicate(timeout=60)
    assert importer.returncode == -signal.SIGKILL
    assert bench.count() == 5
    assert sorted(path.name for path in bench.folder.iterdir()) == ["data", "first.csv", "more.csv"]


# Not getrusage: there a child begins with what its parent had.
_MEASURE = """
import re, sys
from pathlib import Path
from trading_api.modules.datafeed.commands import main
code = main(sys.argv[1:])
print(int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]))
sys.exit(code)
"""


def _peak_kilobytes(bench: Bench, count: int) -> int:
    file = bench.write("big.csv", HEADER + rows(0, count))
    argv = [sys.executable, "-c", _MEASURE, str(file), "--symbol", "BTCUSD", "--resolution", "1", "--dry-run"]
    done = subprocess.run(argv, env=bench.environment, capture_output=True, text=True, timeout=300, check=True)
    return int(done.stdout.split()[-1])


def test_D02_memory_does_not_grow_with_the_file(bench: Bench) -> None:
    """70000 rows kept as Python tuples would need well over 15 MB."""
    assert _peak_kilobytes(bench, 80_000) - _peak_kilobytes(bench, 10_000) < 8_000


@pytest.mark.long
def test_D02_a_store_of_an_older_program_gets_its_coarser_bars_when_it_is_served(bench: Bench) -> None:
    make_old_store(bench.database)
    symbol = "MÜNCHEN"
    migrate = [sys.executable, "-m", "trading_api", "migrate"]
    subprocess.run(migrate, env=bench.environment, cwd=bench.folder, check=True, capture_output=True, timeout=60)
    with closing(open_store(f"sqlite:///{bench.database}")) as store:
        assert store.resolutions_of(symbol) == (Resolution.MINUTE_1,)
    with bench.serving() as client:
        wait_until(
            lambda: "1D" in client.get(f"/resolve/{symbol}").json()["supported_resolutions"],
            what="the coarser bars of an older store",
        )
