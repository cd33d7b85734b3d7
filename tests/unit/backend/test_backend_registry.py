"""Finding modules and versions by looking at folders (A01, A02)."""

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.backend_modules import API, GOOD, INIT, WS, write_module

from trading_api.settings import ModuleChoice
from trading_api.shared.errors import ModuleError
from trading_api.shared.registry import ModuleFolder, discover, known_versions, select


def found_in(path: Path) -> dict[str, ModuleFolder]:
    return discover("example.modules", path)


def refused(path: Path, *choices: ModuleChoice) -> str:
    if not (path / "core").exists():
        write_module(path, "core")
    with pytest.raises(ModuleError) as caught:
        select(found_in(path), choices)
    return str(caught.value)


def test_A01_bad_folder_name_fails_with_it(tmp_path: Path) -> None:
    write_module(tmp_path, "order-book")
    assert "module 'order-book'" in refused(tmp_path)


def test_A01_folder_without_init_fails_with_its_name(tmp_path: Path) -> None:
    write_module(tmp_path, "broker", {"api/v1.py": API, "service.py": ""})
    message = refused(tmp_path)
    assert "module 'broker'" in message
    assert "no __init__.py" in message


def test_A01_folder_without_versions_fails_with_its_name(tmp_path: Path) -> None:
    write_module(tmp_path, "broker", {"__init__.py": INIT, "api/__init__.py": ""})
    assert "module 'broker'" in refused(tmp_path)


@pytest.mark.parametrize("version", ["V1", "v0", "v01", "v1_0", "v2beta"])
def test_A01_a_version_that_is_nearly_one_is_not_skipped(tmp_path: Path, version: str) -> None:
    write_module(tmp_path, "broker", {**GOOD, f"api/{version}.py": API})
    message = refused(tmp_path)
    assert f"{version}.py" in message
    assert "is no version" in message


def test_A01_file_and_package_of_the_same_version_are_refused(tmp_path: Path) -> None:
    write_module(tmp_path, "broker", {**GOOD, "api/v1/__init__.py": API})
    assert "keep one" in refused(tmp_path)


def test_A01_a_choice_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_module(tmp_path, "broker")
    assert "found: broker, core" in refused(tmp_path, ModuleChoice("nope"))
    assert "no version 'v2'; found: v1" in refused(tmp_path, ModuleChoice("broker", "v2"))


def test_A01_a_missing_core_is_refused(tmp_path: Path) -> None:
    write_module(tmp_path, "broker")
    with pytest.raises(ModuleError, match="module 'core'"):
        select(found_in(tmp_path), ())


def test_M02_a_broken_folder_that_nobody_enabled_does_not_matter(tmp_path: Path) -> None:
    for name in ("core", "broker", "order-book"):
        write_module(tmp_path, name)
    chosen = select(found_in(tmp_path), [ModuleChoice("broker")])
    assert [selection.folder.name for selection in chosen] == ["broker", "core"]


def test_A01_multi_word_names_work(tmp_path: Path) -> None:
    write_module(tmp_path, "order_book")
    assert found_in(tmp_path)["order_book"].package == "example.modules.order_book"


def test_A01_what_version_control_leaves_of_a_module_is_none(tmp_path: Path) -> None:
    for leftover in ("gone/__pycache__", ".hidden", "_private", "empty"):
        (tmp_path / leftover).mkdir(parents=True)
    (tmp_path / "notes.py").write_text("")
    assert found_in(tmp_path) == {}


def test_A02_versions_come_from_files_packages_and_ws_folders(tmp_path: Path) -> None:
    files = {**GOOD, "api/v2/__init__.py": API, "api/helpers.py": "", "ws/v3/__init__.py": WS, "ws/v4.py": ""}
    write_module(tmp_path, "broker", files)
    folder = found_in(tmp_path)["broker"]
    assert folder.versions == ("v1", "v2", "v3")
    assert sorted(folder.api) == ["v1", "v2"]
    assert sorted(folder.ws) == ["v3"]


@given(numbers=st.sets(st.integers(1, 300), min_size=1))
def test_A02_versions_are_ordered_by_number(numbers: set[int]) -> None:
    shuffled = random.Random(0).sample(sorted(numbers), len(numbers))
    folder = ModuleFolder("x", "m.x", Path("x"), api={f"v{n}": Path("v.py") for n in shuffled}, ws={})
    assert folder.versions == tuple(f"v{n}" for n in sorted(numbers))


def test_M02_choices_of_versions_add_up_and_core_is_always_there(tmp_path: Path) -> None:
    write_module(tmp_path, "core")
    write_module(tmp_path, "broker", {**GOOD, "api/v2.py": API, "api/v3.py": API})
    folders = found_in(tmp_path)

    def chosen(*choices: ModuleChoice) -> dict[str, tuple[str, ...]]:
        return {selection.folder.name: selection.versions for selection in select(folders, choices)}

    assert chosen() == known_versions(folders) == {"broker": ("v1", "v2", "v3"), "core": ("v1",)}
    assert chosen(ModuleChoice("core")) == {"core": ("v1",)}
    two = (ModuleChoice("broker", "v3"), ModuleChoice("broker", "v1"))
    assert chosen(*two) == {"broker": ("v1", "v3"), "core": ("v1",)}
    assert chosen(*two, ModuleChoice("broker"))["broker"] == ("v1", "v2", "v3")
