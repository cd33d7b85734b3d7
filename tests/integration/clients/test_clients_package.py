"""Generated code under its judges, and the package of clients built, installed and used alone (G04, G05, G07)."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.clients_contract import live_sources, sink

from trading_api.codegen.clients import render_package

pytestmark = pytest.mark.integration
PROJECT = Path(__file__).parents[3] / "pyproject.toml"
# Imports everything, and says what of the backend came along.
PROGRAM = """
import sys
import trading_api_clients as clients
assert [name for name in sys.modules if name.startswith("trading_api_clients.")] == [], "the index is lazy"
for name in clients.__all__:
    getattr(clients, name)
sync = clients.BrokerSyncClient("http://127.0.0.1:9", timeout=0.5, retry=clients.RetryPolicy(attempts=1))
try:
    sync.get_health_status()
except clients.TransportError as error:
    print("no answer:", error.where)
print([name for name in sys.modules if name == "trading_api" or name.startswith(("trading_api.", "fastapi"))])
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make generate output_dir=DIR` makes of every module, and of the contract with one of everything."""
    folder = tmp_path_factory.mktemp("package")
    for name, text in render_package([*live_sources(), sink()]).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    "judge",
    [
        # make type-check reads the same files, beside the backend's own.
        pytest.param(
            ["-m", "mypy", "--strict", "--no-incremental", "--config-file", "", "client_generated"],
            marks=pytest.mark.long,
        ),
        ["-m", "ruff", "check", "--no-cache", "--config", str(PROJECT), "."],
        ["-m", "black", "--check", "--config", str(PROJECT), "."],
    ],
    ids=["mypy", "ruff", "black"],
)
def test_G07_generated_code_passes_its_judges(package: Path, judge: list[str]) -> None:
    done = run(package, *judge)
    assert done.returncode == 0, done.stdout + done.stderr


def test_G05_the_package_is_built_and_works_without_the_backend(package: Path, tmp_path: Path) -> None:
    built = run(package, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path))
    assert built.returncode == 0, built.stdout + built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    # Isolated: neither the checkout nor this folder is on the path. The editable backend is, but not imported.
    program = f"import sys; sys.path.insert(0, {str(wheel)!r})\n{PROGRAM}"
    used = run(tmp_path, "-I", "-c", program)
    assert used.returncode == 0, used.stderr
    assert used.stdout.splitlines() == ["no answer: getHealthStatus", "[]"]


def test_G05_the_wheel_holds_types_and_typescript(package: Path, tmp_path: Path) -> None:
    run(package, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path))
    (wheel,) = tmp_path.glob("trading_api_clients-*.whl")
    listed = run(tmp_path, "-m", "zipfile", "-l", str(wheel)).stdout
    for name in ("py.typed", "runtime/rest.py", "broker_v1_models.py", "typescript/datafeed_v1.ts"):
        assert f"trading_api_clients/{name} " in listed


def test_G05_what_lies_in_the_folder_works_where_it_lies(package: Path) -> None:
    used = run(
        package,
        "-I",
        "-c",
        f"import sys; sys.path.insert(0, {str(package)!r})\n"
        "from client_generated import BrokerClient; print(BrokerClient.__name__)",
    )
    assert used.stdout == "BrokerClient\n", used.stderr
