"""Folders come whole or not at all, and never over another (A07)."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from trading_api.codegen.new_module.folders import place_folders


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Where two parts go; their parents exist."""
    for name in ("models", "modules"):
        (tmp_path / name).mkdir()
    return tmp_path / "models" / "risk", tmp_path / "modules" / "risk"


def tree(folder: Path) -> dict[str, str]:
    """Every file below `folder` with its text; folders that are empty too."""
    found = (path for path in folder.rglob("*") if path.is_file() or not any(path.iterdir()))
    return {str(path.relative_to(folder)): path.read_text() if path.is_file() else "" for path in found}


def test_A07_a_later_part_that_cannot_be_placed_takes_the_earlier_ones_back(
    tmp_path: Path, places: tuple[Path, Path]
) -> None:
    places[1].mkdir()
    (places[1] / "mine.py").write_text("x = 1\n")
    before = tree(tmp_path)
    with pytest.raises(FileExistsError) as caught:
        place_folders({folder: {"__init__.py": ""} for folder in places})
    assert caught.value.filename == str(places[1])
    assert tree(tmp_path) == before


@pytest.mark.parametrize("kind", ["folder", "file", "dead link"])
def test_A07_nothing_that_stands_there_is_replaced(tmp_path: Path, places: tuple[Path, Path], kind: str) -> None:
    make: dict[str, Callable[[], None]] = {
        "folder": places[0].mkdir,
        "file": places[0].touch,
        "dead link": lambda: places[0].symlink_to("nowhere"),
    }
    make[kind]()
    with pytest.raises(FileExistsError):
        place_folders({folder: {"__init__.py": ""} for folder in places})
    assert places[0].is_symlink() == (kind == "dead link")
    assert os.listdir(tmp_path / "modules") == []
    assert os.listdir(tmp_path / "models") == ["risk"]


def test_A07_a_parent_that_is_not_there_leaves_nothing(tmp_path: Path, places: tuple[Path, Path]) -> None:
    (tmp_path / "modules").rmdir()
    with pytest.raises(FileNotFoundError):
        place_folders({folder: {"__init__.py": ""} for folder in places})
    assert tree(tmp_path) == {"models": ""}


def test_A07_a_file_that_cannot_be_written_leaves_nothing(tmp_path: Path, places: tuple[Path, Path]) -> None:
    with pytest.raises(OSError, match="too long"):
        place_folders({places[0]: {"__init__.py": ""}, places[1]: {"x" * 300: ""}})
    assert tree(tmp_path) == {"models": "", "modules": ""}


def test_A07_all_files_are_there_for_everybody_to_read(tmp_path: Path, places: tuple[Path, Path]) -> None:
    place_folders({places[0]: {"__init__.py": "é\n"}, places[1]: {"api/v1.py": "y\n"}})
    assert tree(tmp_path) == {"models/risk/__init__.py": "é\n", "modules/risk/api/v1.py": "y\n"}
    plain = tmp_path / "plain"
    plain.mkdir()
    for folder in (*places, places[1] / "api"):
        assert folder.stat().st_mode == plain.stat().st_mode


def test_A07_of_many_at_once_exactly_one_wins(tmp_path: Path, places: tuple[Path, Path]) -> None:
    gate = threading.Barrier(8)
    won: list[int] = []
    lost: list[OSError] = []

    def run(number: int) -> None:
        gate.wait(5)
        try:
            place_folders({folder: _files(number) for folder in places})
        except FileExistsError as error:
            lost.append(error)
        else:
            won.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (len(won), len(lost)) == (1, 7)
    parts = ("models", "modules")
    assert tree(tmp_path) == {f"{part}/risk/{name}": text for part in parts for name, text in _files(won[0]).items()}


def _files(number: int) -> dict[str, str]:
    return dict(_named(number))


def _named(number: int) -> Iterator[tuple[str, str]]:
    for file in range(5):
        yield f"file_{file}.py", f"x = {number}\n"
