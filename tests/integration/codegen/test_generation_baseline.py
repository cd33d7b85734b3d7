"""A check against an earlier revision: a breaking change needs a new version (G03)."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.generation_site import API, ITEMS, Package, package_in

from trading_api.codegen.outcome import Outcome
from trading_api.codegen.report import told, wrong

pytestmark = pytest.mark.integration


class Repository:
    """A git repository around a package, without the user's own settings."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str) -> str:
        who = {
            "GIT_AUTHOR_NAME": "a",
            "GIT_AUTHOR_EMAIL": "a@b",
            "GIT_COMMITTER_NAME": "a",
            "GIT_COMMITTER_EMAIL": "a@b",
        }
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "PATH": os.environ["PATH"]}
        argv = ["git", "-C", str(self.folder), *arguments]
        return subprocess.run(argv, env={**who, **alone}, check=True, capture_output=True, text=True, timeout=30).stdout

    def commit(self, tag: str = "") -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "change")
        if tag:
            self.git("tag", tag)


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    with package_in(tmp_path / "a project" / "src" / "baseline_example") as made:
        made.add("items")
        yield made


@pytest.fixture
def repository(package: Package) -> Repository:
    made = Repository(package.folder.parents[1])
    made.git("init", "--quiet")
    (made.folder / ".gitignore").write_text("__pycache__/\n")
    assert package.generate(quick=False).ok
    made.commit()
    return made


def check(package: Package, base: str | None = None) -> Outcome:
    return package.generate(check=True, quick=False, base=base)


def break_(package: Package) -> None:
    package.edit("modules/items/api/v1.py", "price: float", "price: str")
    assert package.generate(quick=False).ok


def test_G03_a_breaking_change_without_a_new_version_fails_the_check(package: Package, repository: Repository) -> None:
    assert check(package).ok
    break_(package)
    outcome = check(package)
    assert (outcome.ok, outcome.files, outcome.base) == (False, [], "HEAD")
    assert list(wrong(outcome)) == [
        "items v1: GET /item: response 200: Item.price: number -> string [breaking]",
        "error: 1 breaking change since HEAD without a new version; "
        "keep the old version as it was and make the change in a new one (api/v2.py)",
    ]


def test_G03_the_same_change_in_a_new_version_is_fine(package: Package, repository: Repository) -> None:
    (package.folder / "modules/items/api/v2.py").write_text((package.folder / "modules/items/api/v1.py").read_text())
    package.edit("modules/items/api/v2.py", "price: float", "price: str")
    assert package.generate(quick=False).ok
    outcome = check(package)
    assert outcome.ok
    assert "no breaking change since HEAD" in list(told(outcome))


def test_G03_the_newest_release_is_what_clients_know(package: Package, repository: Repository) -> None:
    repository.git("tag", "v0.1.0")
    repository.git("tag", "other")
    break_(package)
    repository.commit()
    assert check(package).base == "v0.1.0"
    assert not check(package).ok
    assert check(package, base="HEAD").ok
    repository.git("tag", "v0.2.0")
    assert check(package).ok


def test_G03_a_stale_tree_is_compared_as_the_code_is_now(package: Package, repository: Repository) -> None:
    package.edit("modules/items/api/v1.py", "price: float", "price: str")
    outcome = check(package)
    assert [change.change.kind for change in outcome.broken] == ["type.changed"]
    assert outcome.files


def test_G03_a_module_that_goes_breaks_its_clients(package: Package, repository: Repository) -> None:
    folder = package.path("modules/items")
    for path in sorted(folder.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    folder.rmdir()
    assert package.generate(quick=False).ok
    assert [change.line() for change in check(package).broken] == ["items v1: REST contract: removed [breaking]"]


def test_G03_only_the_named_modules_are_compared(package: Package, repository: Repository) -> None:
    break_(package)
    package.add("more", {**ITEMS, "api/v1.py": API})
    package.generate(quick=False)
    assert package.generate("more", check=True, quick=False).ok
    assert not package.generate("items", check=True, quick=False).ok


@pytest.mark.parametrize("base", ["v9.9.9", "--output=stolen", "0" * 40])
def test_G03_a_named_revision_that_is_not_there_is_an_error(
    package: Package, repository: Repository, base: str
) -> None:
    outcome = check(package, base=base)
    assert (outcome.ok, outcome.notes) == (False, [])
    assert f"contracts cannot be compared with {base!r}: " in outcome.failures[0].reason


def test_G03_what_watch_mode_rewrote_is_still_told_as_changed_since_the_last_commit(
    package: Package, repository: Repository
) -> None:
    package.edit("modules/items/api/v1.py", "price: float", "price: str")
    assert package.generate(quick=True).ok  # as watch mode does: the contracts on disk are those of the code now
    outcome = package.generate(quick=False)
    assert list(told(outcome))[:2] == [
        "contracts changed since HEAD:",
        "items v1: GET /item: response 200: Item.price: number -> string [breaking]",
    ]
    repository.commit()
    package.edit("modules/items/api/v1.py", "price: str", "price: str\n    size: int = 1")
    lines = [change.line() for change in package.generate(quick=False).changes]
    assert lines == ["items v1: GET /item: response 200: Item.size: added"]


def test_G03_a_module_that_is_gone_is_told_since_the_last_commit(package: Package, repository: Repository) -> None:
    shutil.rmtree(package.path("modules/items"))
    lines = list(told(package.generate(quick=False)))
    assert "items v1: REST contract: removed [breaking]" in lines
    assert not any(line.startswith("items") for line in told(package.generate("core", quick=False)))


def test_G03_a_package_in_no_revision_is_compared_with_the_disk(package: Package, tmp_path: Path) -> None:
    made = Repository(tmp_path)
    made.git("init", "--quiet")
    (made.folder / "notes").write_text("of something else\n")
    made.git("add", "notes")
    made.git("commit", "--quiet", "--message", "notes")
    assert package.generate(quick=False).ok
    package.edit("modules/items/api/v1.py", "price: float", "price: float\n    size: int = 1")
    outcome = package.generate(quick=False)
    assert (outcome.since, [change.line() for change in outcome.changes]) == (
        None,
        ["items v1: GET /item: response 200: Item.size: added"],
    )


def test_G03_without_git_there_is_a_note(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    assert package.generate(quick=False).ok
    outcome = check(package)
    assert (outcome.ok, len(outcome.notes)) == (True, 1)
    monkeypatch.setenv("PATH", "/nonexistent")
    assert "git cannot be run" in check(package).notes[0]


def test_G03_a_shallow_clone_compares_with_what_it_has(
    package: Package, repository: Repository, tmp_path: Path
) -> None:
    repository.git("tag", "v0.1.0")
    break_(package)
    repository.commit()
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth", "1", "--no-tags", f"file://{repository.folder}", str(clone))
    with package_in_clone(clone / "src" / package.folder.name) as shallow:
        outcome = check(shallow)
    assert (outcome.ok, outcome.base) == (True, "HEAD")


def package_in_clone(folder: Path) -> "Existing":
    return Existing(folder)


class Existing:
    """A package that is there already, for the length of a `with`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Package:
        package = object.__new__(Package)
        package.folder = self._folder
        return package

    def __exit__(self, *_: object) -> None:
        pass
