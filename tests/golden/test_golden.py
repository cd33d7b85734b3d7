"""Golden pairs: a folder holds `config.yaml` and either `error.txt` or the generated files.

A new case is a new folder. `UPDATE_GOLDEN=1 make test-fast` writes what comes out; read the difference before
committing.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy import loader, manifest
from deploy.artifact import Artifact
from deploy.errors import ConfigError
from deploy.layout import Layout
from deploy.plan import Plan, Site
from deploy.planner import plan
from deploy.renderers import nginx, snapshot, supervisor

HERE = Path(__file__).parent
CASES = sorted(path.parent for path in HERE.glob("*/config.yaml"))
ENVIRONMENT = {"GATEWAY_PORT": "9000", "BROKER_MODULE": "broker", "EMPTY": "", "SECRET": "it's 100% ;x #1"}
MODULES = manifest.read(HERE / "manifest.json")


def _update(path: Path, text: str) -> None:
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")


def _plan_of(case: Path) -> Plan:
    config = loader.load(case / "config.yaml", MODULES, ENVIRONMENT)
    project = case / "project.txt"
    folder = project.read_text(encoding="utf-8").rstrip("\n") if project.exists() else "/srv/trading"
    layout = Layout(Path(folder) / "config.yaml", Path("/tmp"))
    return plan(config, MODULES, Site(layout, Path("/srv/venv/bin/python"), Path("/usr/sbin/nginx")))


def _fails(case: Path) -> bool:
    return case.name.startswith("error_")


@pytest.mark.parametrize("case", [c for c in CASES if _fails(c)], ids=lambda case: case.name)
def test_C02_C03_C04_C08_golden_errors(case: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        _plan_of(case)
    found = str(raised.value).replace(f"{case}/", "") + "\n"
    _update(case / "error.txt", found)
    assert found == (case / "error.txt").read_text(encoding="utf-8")
    assert raised.value.exit_code == 2


@pytest.mark.parametrize("case", [c for c in CASES if not _fails(c)], ids=lambda case: case.name)
@pytest.mark.parametrize(
    "render", [supervisor.render, nginx.render, snapshot.render], ids=["supervisord", "nginx", "tree"]
)
def test_N07_P01_golden_files(case: Path, render: Callable[[Plan], Artifact]) -> None:
    found = render(_plan_of(case))
    again = render(_plan_of(case))
    assert found == again, "rendering twice is byte-identical"
    expected = case / found.path.name
    _update(expected, found.content)
    assert found.content == expected.read_text(encoding="utf-8")


def test_every_case_has_its_expectation() -> None:
    incomplete = [case.name for case in CASES if not any(case.glob("error.txt")) and not any(case.glob("nginx.conf"))]
    assert not incomplete
