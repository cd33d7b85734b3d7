"""Running the command line as a user without rights, in a folder of theirs."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.project import ROOT, Project, project_in

UID = 65534 if os.geteuid() == 0 else os.geteuid()
"""Ourselves where we are no root: then there is nothing to give up."""
_PACKAGES = (str(ROOT), str(ROOT / "backend" / "src"), sysconfig.get_path("purelib"))
_IMPORTS = {"PYTHONPATH": os.pathsep.join(_PACKAGES), "PYTHONDONTWRITEBYTECODE": "1"}


@contextmanager
def folder_of_user() -> Iterator[Path]:
    """A folder of the ordinary user's own; pytest's are closed to everybody else."""
    folder = Path(tempfile.mkdtemp(prefix="tree-user-"))
    os.chown(folder, UID, -1)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def project_of_user() -> Iterator[Project]:
    """A project with the standard configuration, all of it owned by the ordinary user."""
    with folder_of_user() as folder, project_in(folder / "project") as project:
        os.chown(project.folder, UID, -1)
        project.write()
        os.chown(project.config, UID, -1)
        project.environment |= {"HOME": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        yield project


def run_as_user(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`backend-manager …` as the ordinary user, in the project's folder."""
    return run_module_as_user(project, "deploy.cli", *arguments)


def run_module_as_user(project: Project, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m module …` as the ordinary user, in the project's folder."""
    argv = [_interpreter(), "-P", "-m", module, *arguments]
    user = {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 else {}
    env = {**project.env(), **_IMPORTS}
    return subprocess.run(argv, cwd=project.folder, env=env, capture_output=True, text=True, timeout=60, **user)  # type: ignore[call-overload, no-any-return] # mypy cannot see through **user


def _interpreter() -> str:
    """An interpreter of our version that the user may execute, and that may read this checkout."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        if Path(path).exists() and _can_execute(path):
            break
    else:
        # Ours may lie in root's home.
        pytest.skip(f"no python{version} that another user may execute")
    need_open_checkout()
    return path


def need_open_checkout() -> None:
    """Skip the test where the ordinary user cannot read this checkout, as in a folder that mktemp made."""
    closed = [folder for folder in (ROOT, *ROOT.parents) if not folder.stat().st_mode & 0o001]
    if os.geteuid() == 0 and closed:
        pytest.skip(f"{closed[0]} is closed to other users, and the checkout lies in it")


def _can_execute(path: str) -> bool:
    if os.geteuid() != 0:
        return True
    try:
        return subprocess.run([path, "-c", ""], user=UID, group=UID, extra_groups=[], timeout=20).returncode == 0
    except PermissionError:
        return False
