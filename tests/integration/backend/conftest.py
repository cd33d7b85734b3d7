"""A copy of the package for each test, with bytecode, so that its servers start as quickly as installed ones."""

import compileall
import os
import shutil
import time
from pathlib import Path

import pytest
from support.backend_probe import add_probe
from support.backend_server import copy_package


@pytest.fixture(scope="session")
def compiled_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and the probe, compiled. Not to be changed."""
    package = copy_package(tmp_path_factory.mktemp("backend"))
    add_probe(package)
    for file in package.rglob("*.py"):
        # As if written a while ago: bytecode of a source that is younger than a second is not trusted in watch mode.
        os.utime(file, (time.time() - 60, time.time() - 60))
    compileall.compile_dir(str(package), quiet=1)
    return package


@pytest.fixture
def package(compiled_package: Path, tmp_path: Path) -> Path:
    """A copy to run and to change."""
    return Path(shutil.copytree(compiled_package, tmp_path / "trading_api"))
