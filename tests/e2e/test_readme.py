"""The README's own commands, in a fresh copy of the repository with nothing set up: what a new user does first."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest
from support.ports import free_block
from support.project import ROOT
from support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(1000)]
FOREIGN = ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "NGINX", "ENABLED_MODULES")


class Clone:
    """A fresh copy, and the commands run in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_block(4)
        self.env = {name: value for name, value in os.environ.items() if name not in FOREIGN}

    def make(self, *words: str, timeout: float = 900) -> subprocess.CompletedProcess[str]:
        return self.run("make", *words, timeout=timeout)

    def run(self, *argv: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(argv, cwd=self.folder, env=self.env, capture_output=True, text=True, timeout=timeout)

    def supervisorctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """As the README says: after `. .venv/bin/activate`, in the project's folder."""
        return self.run("sh", "-c", '. .venv/bin/activate && exec supervisorctl "$@"', "sh", *words)

    def get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=60, trust_env=False)


def _copy(target: Path) -> None:
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def _free_ports(clone: Clone) -> None:
    """The shipped file, but for its ports: somebody may be using those."""
    config = clone.folder / "dev-config.yaml"
    text = re.sub(
        r"port: 800(\d)", lambda match: f"port: {clone.port + int(match[1])}", config.read_text(encoding="utf-8")
    )
    config.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    made = Clone(tmp_path_factory.mktemp("clone") / "trading backend")
    made.folder.mkdir()
    _copy(made.folder)
    _free_ports(made)
    yield made
    made.make("supervise-down")


def test_P02_M07_supervise_up_on_a_fresh_machine_sets_up_and_starts_everything(clone: Clone) -> None:
    done = clone.make("supervise-up")
    assert done.returncode == 0, done.stdout + done.stderr
    for word in ("nginx", "broker:broker-0", "datafeed:datafeed-0", "core:core-0", "healthy"):
        assert word in done.stdout
    for module in ("core", "broker", "datafeed"):
        assert clone.get(f"/api/v1/{module}/health").status_code == 200


def test_D02_the_tutorials_import_is_served_through_the_gateway(clone: Clone) -> None:
    argv = ["-m", "trading_api", "import", "docs/examples/AAPL-1D.csv", "--symbol", "AAPL", "--resolution", "1D"]
    done = clone.run(".venv/bin/python", *argv)
    assert done.returncode == 0, done.stderr
    answer = clone.get("/api/v1/datafeed/bars?symbol=AAPL&resolution=1D&from_time=1704067200&to_time=1704499200").json()
    with (clone.folder / "docs" / "examples" / "AAPL-1D.csv").open(encoding="utf-8") as file:
        first_days = [float(row["Close"]) for row in csv.DictReader(file)][:4]
    assert [bar["close"] for bar in answer["bars"]] == first_days


def test_P02_plain_supervisorctl_works_in_the_projects_folder(clone: Clone) -> None:
    status = clone.supervisorctl("status")
    assert status.returncode == 0, status.stdout
    assert status.stdout.count("RUNNING") == 5
    restarted = clone.supervisorctl("restart", "broker:*")
    assert "broker:broker-0: started" in restarted.stdout
    wait_until(lambda: clone.get("/api/v1/broker/health").status_code == 200, what="the broker after its restart")
    assert "serving" in clone.supervisorctl("tail", "broker:broker-0").stdout


def test_P13_logs_tail_follows_all_processes(clone: Clone) -> None:
    argv = ["make", "logs-tail"]
    with subprocess.Popen(argv, cwd=clone.folder, env=clone.env, stdout=subprocess.PIPE, text=True) as tail:
        assert tail.stdout is not None
        lines: list[str] = []
        while not {"broker-0", "core-0", "datafeed-0"} <= {line.split()[0] for line in lines}:
            lines.append(tail.stdout.readline())
            assert re.match(r"^\S+ +>> ", lines[-1]), lines
        for child in psutil.Process(tail.pid).children(recursive=True):
            child.send_signal(signal.SIGINT)
    assert any("serving" in line for line in lines)


def test_P10_P06_status_and_a_second_up(clone: Clone) -> None:
    assert clone.make("supervise-status").returncode == 0
    again = clone.make("supervise-up")
    assert again.returncode == 0
    assert "nothing changed, nothing restarted" in again.stdout


def test_M07_install_can_be_run_twice_and_verbs_work(clone: Clone) -> None:
    assert clone.make("install").returncode == 0
    assert "nginx 1." in clone.make("check-nginx").stdout
    assert clone.make("verify-nginx").returncode == 0
    listing = clone.make("help").stdout
    for verb in (
        "supervise-up",
        "install",
        "lint",
        "type-check",
        "format",
        "test",
        "test-fast",
        "bench",
        "clean",
        "dev",
    ):
        assert re.search(rf"^  {verb} ", listing, re.MULTILINE), verb


def test_M07_the_wheel_holds_the_templates_and_the_manifest(clone: Clone, tmp_path: Path) -> None:
    build = ["-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    done = clone.run(".venv/bin/python", *build)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "unpacked")
    env = {**clone.env, "PYTHONPATH": str(tmp_path / "unpacked")}
    argv = [sys.executable, "-P", "-m", "deploy.cli", "gen-nginx-conf", str(clone.folder / "dev-config.yaml")]
    rendered = subprocess.run(argv, cwd="/", env=env, capture_output=True, text=True, timeout=60)
    assert rendered.returncode == 0, rendered.stderr
    assert f"listen 127.0.0.1:{clone.port};" in rendered.stdout
    assert (tmp_path / "unpacked" / "trading_api" / "manifest.json").is_file()


def test_P05_supervise_down_stops_everything(clone: Clone) -> None:
    done = clone.make("supervise-down")
    assert done.returncode == 0, done.stderr
    with pytest.raises(httpx.ConnectError):
        clone.get("/api/v1/core/health")
    assert clone.make("supervise-status").returncode != 0
