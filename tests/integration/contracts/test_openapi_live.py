"""Schemathesis, which nobody here wrote, sends what each spec allows and forbids, and judges what comes back."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.backend_server import SOURCE, Server, copy_package, run_module, running

from trading_api.shared.registry import installed_modules

pytestmark = pytest.mark.integration

JUDGE = Path(sys.executable).with_name("schemathesis")
CONFIG = Path(__file__).with_name("schemathesis.toml")
EXAMPLE = SOURCE.parents[2] / "docs" / "examples" / "AAPL-1D.csv"
FEW, MANY = 4, 15
SPECS = [f"{name}/openapi.json" for name in installed_modules()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Every module in one process, with some bars to serve."""
    package = copy_package(tmp_path_factory.mktemp("judged"))
    imported = run_module(package, ["import", str(EXAMPLE), "--symbol", "AAPL", "--resolution", "1D"])
    assert imported.returncode == 0, imported.stdout + imported.stderr
    with running(package, ENABLED_MODULES="") as started:
        yield started


def judge(url: str, folder: Path, examples: int) -> subprocess.CompletedProcess[str]:
    arguments = ["run", url, "--checks", "all", "--max-examples", str(examples), "--no-color"]
    arguments += ["--suppress-health-check", "all", "--request-timeout", "10"]
    command = [str(JUDGE), "--config-file", str(CONFIG), *arguments]
    # Its cache of earlier findings belongs to no project: every run starts anew.
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
@pytest.mark.parametrize("spec", SPECS)
def test_A05_A08_what_is_served_is_what_the_spec_says(server: Server, spec: str, examples: int, tmp_path: Path) -> None:
    done = judge(f"http://127.0.0.1:{server.port}/api/v1/{spec}", tmp_path, examples)
    assert done.returncode == 0, done.stdout + done.stderr
    tested = re.search(r"Tested: (\d+)", done.stdout)
    assert tested, done.stdout
    # The three that every module has, at least.
    assert int(tested[1]) >= 3


def test_A08_the_server_logged_no_error_under_the_judges_requests(server: Server) -> None:
    assert "[ERROR]" not in server.log
    assert "Traceback" not in server.log
