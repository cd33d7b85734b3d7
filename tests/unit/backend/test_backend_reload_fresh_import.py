"""Stale bytecode is never served: two edits of equal size within one second (M04)."""

import importlib
import importlib.util
import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from trading_api.server.reload.fresh_import import FreshFinder, FreshLoader, install_fresh_import

PACKAGE = "fresh_example"
PAST = 1_700_000_000


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    package = tmp_path / PACKAGE
    package.mkdir()
    (package / "__init__.py").write_text("")
    os.utime(package / "__init__.py", (PAST, PAST))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    yield package / "value.py"
    forget()


def forget() -> None:
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]
    importlib.invalidate_caches()


def write(module: Path, value: int, mtime: int = PAST) -> Path:
    """Write the source with a time, and compile it as another process would; returns the bytecode's path."""
    module.write_text(f"VALUE = {value}\n")
    os.utime(module, (mtime, mtime))
    return Path(importlib.util.cache_from_source(str(module)))


def imported() -> int:
    forget()
    value: int = importlib.import_module(f"{PACKAGE}.value").VALUE
    return value


def compile_within_the_second(module: Path) -> None:
    compiled = py_compile.compile(str(module), doraise=True)
    os.utime(str(compiled), (PAST, PAST))


def test_M04_plain_import_serves_stale_bytecode_which_is_why_this_exists(module: Path) -> None:
    write(module, 1)
    compile_within_the_second(module)
    write(module, 2)
    assert imported() == 1


def test_M04_bytecode_compiled_within_the_second_of_the_edit_is_not_used(module: Path) -> None:
    write(module, 1)
    compile_within_the_second(module)
    write(module, 2)
    install_fresh_import(PACKAGE)
    assert imported() == 2


def test_M04_bytecode_is_not_written_within_the_second_of_the_edit(module: Path) -> None:
    install_fresh_import(PACKAGE)
    future = 4_000_000_000
    compiled = write(module, 1, future)
    assert imported() == 1
    assert not compiled.exists()


def test_M04_settled_bytecode_is_written_and_used(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    install_fresh_import(PACKAGE)
    compiled = write(module, 1)
    assert imported() == 1
    assert compiled.exists()

    def refuse(self: FreshLoader, data: object, path: object) -> None:
        raise AssertionError(f"{path} was compiled again")

    monkeypatch.setattr(FreshLoader, "source_to_code", refuse)
    assert imported() == 1


def test_M04_other_packages_are_left_alone() -> None:
    finder = FreshFinder(PACKAGE)
    assert finder.find_spec("json", None) is None
    assert finder.find_spec(f"{PACKAGE}_too", None) is None
    assert finder.find_spec(PACKAGE, []) is None
