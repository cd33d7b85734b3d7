"""The clients, judged without the backend: by two type checkers, the TypeScript compiler and a bare interpreter."""

import sys
from pathlib import Path

import pytest
from support.judges import HERE, PACKAGE, TOOLS, run

pytestmark = pytest.mark.contracts

USE_PY = '''
"""What a user writes; the types are what the checkers look at."""

from decimal import Decimal

from trading_api_clients import BrokerClient, DatafeedClient, DatafeedSyncClient


async def main() -> None:
    async with BrokerClient("http://127.0.0.1:8000") as broker:
        account = await broker.get_account_info()
        name: str = account.name
    async with DatafeedClient("http://127.0.0.1:8000", timeout=3) as datafeed:
        answer = await datafeed.get_bars(symbol="AAPL", resolution="1D", count_back=3)
        closes: list[Decimal] = [bar.close for bar in answer.bars]
        print(name, closes)


def sync() -> None:
    with DatafeedSyncClient("http://127.0.0.1:8000") as datafeed:
        print([result.symbol for result in datafeed.search_symbols(user_input="aapl")])
'''
USE_WRONG = """
from trading_api_clients import BrokerSyncClient

with BrokerSyncClient("http://127.0.0.1:8000") as broker:
    wrong: int = broker.get_account_info().name
"""


@pytest.fixture
def package(client_package: Path, tmp_path: Path) -> Path:
    """The importable package under its name, beside a program that uses it."""
    (tmp_path / "trading_api_clients").symlink_to(client_package / "client_generated")
    (tmp_path / "use.py").write_text(USE_PY, "utf-8")
    (tmp_path / "wrong.py").write_text(USE_WRONG, "utf-8")
    return tmp_path


def test_G07_mypy_strict_accepts_the_clients_without_the_backend(package: Path, bare_python: Path) -> None:
    checked = ["-p", "trading_api_clients", "-m", "use"]
    options: list[str | Path] = [
        "--strict",
        "--python-executable",
        bare_python,
        "--cache-dir",
        package / "cache",
        "--config-file",
        "/dev/null",
    ]
    run([sys.executable, "-m", "mypy", *options, *checked], cwd=package)
    with pytest.raises(AssertionError, match="Incompatible types"):
        run([sys.executable, "-m", "mypy", *options, "-m", "wrong"], cwd=package)


def test_G07_pyright_strict_accepts_the_clients_without_the_backend(package: Path, bare_python: Path) -> None:
    settings = '{"include": ["trading_api_clients", "use.py"], "typeCheckingMode": "standard"}'
    (package / "pyrightconfig.json").write_text(settings, "utf-8")
    said = run([TOOLS / "pyright", "--pythonpath", bare_python, "--warnings"], cwd=package)
    assert "0 errors, 0 warnings" in said


def test_G04_the_clients_import_without_the_backend(package: Path, bare_python: Path) -> None:
    said = run([bare_python, "-W", "error", "-c", "import use, sys; print('fastapi' in sys.modules)"], cwd=package)
    assert said.strip() == "False"


def test_G04_tsc_strict_accepts_the_typescript_types(tmp_path: Path) -> None:
    files = sorted(PACKAGE.glob("modules/*/client_generated/*.ts"))
    assert files
    use = tmp_path / "use.ts"
    use.write_text((HERE / "use.ts").read_text("utf-8").replace("MODULES", str(PACKAGE / "modules")), "utf-8")
    run([TOOLS / "tsc", "--strict", "--noEmit", "--target", "es2022", "--module", "preserve", *files, use])
