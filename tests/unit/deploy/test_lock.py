"""One command at a time changes a tree."""

from pathlib import Path

import pytest

from deploy.runtime.lock import TreeBusy, tree_lock


def test_P08_a_held_lock_is_waited_for_told_once_and_then_an_error_that_names_the_holder(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", list[str]()
    with tree_lock(path, timeout=0, waiting=told.append):
        assert told == []
        with pytest.raises(TreeBusy, match="still holds") as raised, tree_lock(path, timeout=0, waiting=told.append):
            pass
    assert len(told) == 1
    assert f"pid {path.read_text()}" in str(raised.value)


def test_P08_the_lock_is_free_again_after_an_error_inside(tmp_path: Path) -> None:
    path, told = tmp_path / "lock", list[str]()
    with pytest.raises(RuntimeError), tree_lock(path, timeout=0, waiting=told.append):
        raise RuntimeError
    with tree_lock(path, timeout=0, waiting=told.append):
        assert told == []
    assert path.stat().st_mode & 0o777 == 0o600
