"""How long generation takes, beside the tools that render clients from one contract at a time."""

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.result import Result
from support.generation_backend import Backend
from support.project import Project

_INSTALL_TIMEOUT_S = 180
# Run in an interpreter of its own: what a server pays at its start for being sure of its routers.
_VERIFY = """
import json, time
import trading_api.shared.ws
from trading_api.shared.registry import installed_modules
folders = [path for module in installed_modules().values() for path in module.ws.values()]
began = time.perf_counter()
from trading_api.shared.ws.module_router_generator import ensure_routers
for path in folders:
    ensure_routers(path, write=False)
print(json.dumps((time.perf_counter() - began) * 1000))
"""


def run(project: Project, runs: int) -> Iterator[Result]:
    """The whole commands over the shipped modules, in a copy of the backend."""
    backend = Backend(project)
    backend.run("generate", check=0)
    stamp = backend.package / "__pycache__" / "generated.stamp"
    unchanged = [_timed(lambda: backend.run("generate", check=0)) for _ in range(runs)]
    yield Result("generate, nothing changed", tuple(unchanged), "s", limit=0.8, note="three modules, by the stamp")
    yield Result("generate, one module changed", tuple(_edits(backend, runs)), "s", limit=3.5, note="one field more")
    everything = []
    for _ in range(runs):
        stamp.unlink()
        everything.append(_timed(lambda: backend.run("generate", check=0)))
    yield Result("generate, all clients rendered, nothing written", tuple(everything), "s", note="without the stamp")
    yield Result("verifying the routers of all modules at start", tuple(_verified(project, runs)), "ms", limit=15)
    yield from _peers(project, backend, runs)


def _edits(backend: Backend, runs: int) -> Iterator[float]:
    """Seconds for a run after a model of the broker got another field."""
    source = backend.package / "models" / "broker" / "account.py"
    original = source.read_text(encoding="utf-8")
    head, found, tail = original.partition("\n    name: ")
    assert found, "the model has a field `name`"
    for number in range(runs):
        source.write_text(f"{head}\n    field_{number}: int = 0{found}{tail}", encoding="utf-8")
        yield _timed(lambda: backend.run("generate", check=0))
    source.write_text(original, encoding="utf-8")
    backend.run("generate", check=0)


def _verified(project: Project, runs: int) -> Iterator[float]:
    """Milliseconds, the import of the verification included; that of the WebSocket framework a server pays anyway."""
    for _ in range(runs):
        argv = [sys.executable, "-P", "-c", _VERIFY]
        done = subprocess.run(argv, env=project.env(), capture_output=True, text=True, check=True, timeout=60)
        yield float(json.loads(done.stdout))


def _peers(project: Project, backend: Backend, runs: int) -> Iterator[Result]:
    """Other generators on one contract, the broker's: models only, and a whole client."""
    contract = backend.package / "modules" / "broker" / "specs_generated" / "broker_v1_openapi.json"
    models = [
        sys.executable,
        "-m",
        "datamodel_code_generator",
        "--input",
        str(contract),
        "--input-file-type",
        "openapi",
    ]
    models += ["--output", str(project.folder / "models.py"), "--output-model-type", "pydantic_v2.BaseModel"]
    seconds = [_timed(lambda: _call(models)) for _ in range(runs)]
    yield Result("datamodel-codegen, models of one module", tuple(seconds), "s", note="another tool, one contract")
    tool = _installed(project.folder / "peer", "openapi-python-client")
    if tool is None:
        print("openapi-python-client cannot be installed here; left out", file=sys.stderr)
        return
    client = [str(tool), "generate", "--path", str(contract), "--meta", "none", "--overwrite"]
    client += ["--output-path", str(project.folder / "client")]
    seconds = [_timed(lambda: _call(client)) for _ in range(runs)]
    yield Result("openapi-python-client, client of one module", tuple(seconds), "s", note="another tool, one contract")


def _installed(folder: Path, package: str) -> Path | None:
    """The command of a package from the registry, in a virtual environment of its own; None where there is no way."""
    venv.create(folder, with_pip=True)
    argv = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", package]
    try:
        subprocess.run(argv, capture_output=True, check=True, timeout=_INSTALL_TIMEOUT_S)
    except (subprocess.SubprocessError, OSError):
        return None
    return folder / "bin" / package


def _call(argv: list[str]) -> None:
    subprocess.run(argv, capture_output=True, check=True, timeout=120)


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
