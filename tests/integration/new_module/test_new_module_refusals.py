"""What `new-module` does where it cannot do its work: read-only folders, and somebody faster (A07)."""

import os
import subprocess
import sys

import pytest
from support.ordinary_user import UID, folder_of_user
from support.repository_copy import Copy, copy_again

# Everything is imported first: Python itself may lie in root's home.
AS_USER = f"""
import os, sys, black.mode
from trading_api.codegen.new_module import command
os.setgroups([])
os.setgid({UID})
os.setuid({UID})
sys.exit(command.main(["order_book"]))
"""


@pytest.mark.long
def test_A07_of_two_at_once_exactly_one_wins(copy: Copy) -> None:
    argv = [sys.executable, "-m", "trading_api", "new-module", "order_book", "--ws"]
    both = [
        subprocess.Popen(
            argv, cwd=copy.folder, env=copy.env(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60) for process in both]
    assert sorted(process.returncode for process in both) == [0, 1], said
    loser = next(error for process, (_, error) in zip(both, said, strict=True) if process.returncode)
    assert "nothing was written" in loser
    assert_whole(copy)


def assert_whole(copy: Copy) -> None:
    """One module that passes its tests, and nothing beside it."""
    done = copy.python("-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit/order_book")
    assert done.returncode == 0, done.stdout
    for folder in (copy.package / "models", copy.package / "modules", copy.folder / "tests" / "unit"):
        assert [name for name in os.listdir(folder) if name.startswith(".")] == []


def test_A07_a_module_that_exists_is_left_alone(copy: Copy) -> None:
    service = copy.package / "modules" / "broker" / "service.py"
    before = service.read_bytes()
    done = copy.new_module("broker", "--ws")
    assert done.returncode == 1
    assert "backend/src/trading_api/modules/broker exists" in done.stderr
    assert service.read_bytes() == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can own what the user must not write")
@pytest.mark.parametrize("closed", ["backend/src/trading_api/modules", "tests/unit"])
def test_A07_a_folder_that_is_read_only_is_named_and_nothing_is_written(pristine: Copy, closed: str) -> None:
    with folder_of_user() as folder:
        copy = copy_again(pristine, folder)
        for part in ("backend/src/trading_api/modules", "backend/src/trading_api/models", "tests/unit"):
            if part != closed:
                os.chown(copy.folder / part, UID, -1)
        done = copy.python("-c", AS_USER)
        assert done.returncode == 1
        assert f"error: {closed}/order_book: Permission denied; nothing was written" in done.stderr
        assert copy.own_files("order_book") == []
        assert not list(copy.folder.rglob(".order_book*"))
