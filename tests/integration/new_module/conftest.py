"""Copies of the repository, in which modules are written."""

from pathlib import Path

import pytest
from support.project import ROOT
from support.repository_copy import Copy, copy_again, copy_of


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with everything generated. Not to be changed."""
    copy = copy_of(ROOT, tmp_path_factory.mktemp("pristine"))
    done = copy.python("-m", "trading_api", "generate")
    assert done.returncode == 0, done.stdout + done.stderr
    return copy


@pytest.fixture
def copy(pristine: Copy, tmp_path: Path) -> Copy:
    """A copy to run and to change."""
    return copy_again(pristine, tmp_path)
