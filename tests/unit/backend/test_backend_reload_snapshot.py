"""The snapshot: one edit is one change, and a touch is none (M04)."""

import os
from collections.abc import Mapping
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.server.reload.scope import SKIPPED_FOLDERS, is_source
from trading_api.server.reload.snapshot import Snapshot


def snapshot_of(root: Path) -> Snapshot:
    return Snapshot(root, is_source, SKIPPED_FOLDERS)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("a.py", "b.py"):
        (tmp_path / name).write_text("x = 1\n")
        os.utime(tmp_path / name, (1_700_000_000, 1_700_000_000))
    return tmp_path


def test_M04_a_touch_is_no_change(root: Path) -> None:
    snapshot = snapshot_of(root)
    os.utime(root / "a.py")
    (root / "b.py").write_text("x = 1\n")
    assert snapshot.update() == frozenset()


def test_M04_a_change_is_seen_once(root: Path) -> None:
    snapshot = snapshot_of(root)
    (root / "a.py").write_text("x = 2\n")
    assert snapshot.update() == {PurePath("a.py")}
    assert snapshot.update() == frozenset()


def test_M04_new_gone_and_renamed_files_are_changes(root: Path) -> None:
    snapshot = snapshot_of(root)
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "er" / "c.py").write_text("")
    (root / "a.py").rename(root / "d.py")
    assert snapshot.update() == {PurePath("a.py"), PurePath("d.py"), PurePath("deep/er/c.py")}


def test_M05_what_is_no_source_is_not_even_looked_at(root: Path) -> None:
    snapshot = snapshot_of(root)
    for name in ("notes.txt", "__pycache__/a.py", "specs_generated/x.py", ".hidden.py"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text("new")
    assert snapshot.update() == frozenset()


def test_M04_a_second_write_within_one_tick_of_the_clock_is_seen(root: Path) -> None:
    file = root / "a.py"
    file.write_text("x = 2\n")
    stat = file.stat()
    snapshot = snapshot_of(root)
    file.write_text("x = 3\n")
    os.utime(file, ns=(stat.st_mtime_ns, stat.st_mtime_ns))
    assert snapshot.update() == {PurePath("a.py")}


def test_M04_an_unreadable_file_is_a_file_that_is_gone(root: Path) -> None:
    snapshot = snapshot_of(root)
    (root / "a.py").unlink()
    (root / "a.py").symlink_to(root / "nowhere.py")
    assert snapshot.update() == {PurePath("a.py")}


_TREE = st.dictionaries(st.sampled_from(["a.py", "b.py", "c/d.py", "c/e.py"]), st.binary(max_size=3))


@given(before=_TREE, after=_TREE)
def test_M04_changes_are_exactly_the_files_whose_content_differs(
    before: Mapping[str, bytes], after: Mapping[str, bytes]
) -> None:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "c").mkdir()
        _write(root, before)
        snapshot = snapshot_of(root)
        for name in before.keys() - after.keys():
            (root / name).unlink()
        _write(root, after)
        expected = {PurePath(name) for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
        assert snapshot.update() == expected


def _write(root: Path, files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        (root / name).write_bytes(content)
