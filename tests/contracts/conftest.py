"""The judges from npm: `make test-contracts` installs them here, with exact versions, and runs these tests."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.judges import PACKAGE, TOOLS, run

# What a generated client may use; nothing of the backend, nor of its tools.
CLIENT_LIBRARIES = (
    "annotated_types",
    "anyio",
    "certifi",
    "h11",
    "httpcore",
    "httpx",
    "idna",
    "pydantic",
    "pydantic_core",
    "typing_extensions",
    "typing_inspection",
    "websockets",
)


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    assert TOOLS.is_dir(), "the judges are not installed; run: make test-contracts"


@pytest.fixture(scope="session")
def openapi_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every module's OpenAPI document as committed, and the merged one."""
    return [*_committed("openapi"), _merged(tmp_path_factory.mktemp("openapi"), "openapi")]


@pytest.fixture(scope="session")
def asyncapi_files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Every module's AsyncAPI document as committed, and the merged one."""
    return [*_committed("asyncapi"), _merged(tmp_path_factory.mktemp("asyncapi"), "asyncapi")]


@pytest.fixture(scope="session")
def client_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make generate output_dir=…` writes for every module."""
    folder = tmp_path_factory.mktemp("package") / "clients"
    run([sys.executable, "-m", "trading_api", "generate", "--output-dir", str(folder)], cwd=PACKAGE.parents[2])
    return folder


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A virtual environment with the libraries of the clients and without the backend; returns its interpreter."""
    folder = tmp_path_factory.mktemp("bare") / "venv"
    run([sys.executable, "-m", "venv", "--without-pip", str(folder)])
    (packages,) = folder.glob("lib/python*/site-packages")
    import pydantic

    installed = Path(pydantic.__file__).parents[1]
    for name in CLIENT_LIBRARIES:
        source = installed / name if (installed / name).exists() else installed / f"{name}.py"
        (packages / source.name).symlink_to(source)
    python = folder / "bin" / "python"
    without = subprocess.run([python, "-c", "import trading_api"], capture_output=True, check=False)
    assert without.returncode != 0, "the environment is to lack the backend"
    yield python
    shutil.rmtree(folder)


def _committed(kind: str) -> list[Path]:
    files = sorted(PACKAGE.glob(f"modules/*/specs_generated/*_{kind}.json"))
    assert files, f"no {kind} document; run: make generate"
    return files


def _merged(folder: Path, kind: str) -> Path:
    from trading_api.shared.specs import merge

    documents = {file.name.partition("_v1_")[0]: json.loads(file.read_text("utf-8")) for file in _committed(kind)}
    merged = getattr(merge, f"merge_{kind}")(documents, version="v1", base_url="/api")
    target = folder / f"merged_{kind}.json"
    target.write_text(json.dumps(merged), "utf-8")
    return target
