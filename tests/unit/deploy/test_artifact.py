"""The one place that writes files (P14: private; deploy.md: atomic, and only what differs)."""

from pathlib import Path

import pytest

from deploy.artifact import Artifact, ArtifactError, make_folders, write


def test_P14_a_file_that_cannot_be_written_is_named_and_no_half_of_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file.conf"
    with pytest.raises(ArtifactError) as raised:
        write([Artifact(path, "text")])
    assert str(path) in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_P14_a_folder_in_the_place_of_a_file_is_an_error_and_leaves_no_temporary_file(tmp_path: Path) -> None:
    (tmp_path / "file.conf" / "child").mkdir(parents=True)
    with pytest.raises(ArtifactError):
        write([Artifact(tmp_path / "file.conf", "text")])
    assert [path.name for path in tmp_path.iterdir()] == ["file.conf"]


def test_P14_files_are_private_unless_told_otherwise(tmp_path: Path) -> None:
    write([Artifact(tmp_path / "a", "secret"), Artifact(tmp_path / "b", "open", 0o644)])
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in "ab"] == [0o600, 0o644]


def test_P06_only_what_differs_is_written(tmp_path: Path) -> None:
    same, other = Artifact(tmp_path / "same", "ä\n"), Artifact(tmp_path / "other", "new")
    assert write([same, other]) == [same.path, other.path]
    inode = same.path.stat().st_ino
    assert write([same, Artifact(other.path, "newer")]) == [other.path]
    assert same.path.stat().st_ino == inode
    assert other.path.read_text() == "newer"


def test_P14_folders_are_private(tmp_path: Path) -> None:
    make_folders([tmp_path / "a", tmp_path / "a" / "b"])
    make_folders([tmp_path / "a"])
    assert (tmp_path / "a" / "b").stat().st_mode & 0o777 == 0o700


def test_P04_a_file_where_a_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    with pytest.raises(ArtifactError, match="is a file, not a folder"):
        make_folders([tmp_path / "a"])
