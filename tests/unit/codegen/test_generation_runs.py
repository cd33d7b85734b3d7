"""Whole runs of the generator over a small package: what is written, what is told, what is left alone."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.generation_site import API, ITEMS, Package, package_in

from trading_api.codegen.cleaning import clean_generated
from trading_api.codegen.merged_manifest import merged_manifest
from trading_api.codegen.stamp import read_stamp, stamp_path

SPEC = "modules/items/specs_generated/items_v1_openapi.json"


@pytest.fixture
def package(tmp_path: Path) -> Iterator[Package]:
    with package_in(tmp_path / "generation_example") as made:
        made.add("items")
        yield made


def test_G01_a_broken_module_is_named_with_its_line_and_keeps_its_files(package: Package) -> None:
    package.generate()
    before = package.files()
    package.edit("modules/items/api/v1.py", "price: float", "price: floot")
    package.edit("modules/core/__init__.py", "An example.", "Another text.")
    outcome = package.generate()
    (failure,) = outcome.failures
    assert (outcome.ok, failure.module) == (False, "items")
    assert "modules/items/api/v1.py:7: NameError" in failure.reason
    assert package.files()[SPEC] == before[SPEC]
    assert package.states(outcome) == {"modules/core/specs_generated/core_v1_openapi.json": "written"}
    assert "items" in json.loads(package.path("manifest.json").read_text())["modules"]


def test_G01_a_failed_run_leaves_no_stamp_behind(package: Package) -> None:
    package.edit("modules/items/api/v1.py", "price: float", "price: floot")
    package.generate()
    assert package.generate().failures, "the second run must not believe the first"


def test_G07_routers_whose_types_do_not_exist_leave_the_former_files(package: Package) -> None:
    package.add_with_websockets("talk")
    assert package.generate().ok
    before = package.files()
    package.edit("modules/talk/ws/v1/__init__.py", "WsRouter[Echo, Echo]", "WsRouter[Echo, Eccho]")
    outcome = package.generate()
    assert "modules/talk/ws/v1/__init__.py:" in outcome.failures[0].reason
    after = package.files()
    assert all(after[path] == before[path] for path in before if "_generated" in path)


def test_G01_check_writes_nothing_and_lists_what_is_missing(package: Package) -> None:
    before = package.files()
    outcome = package.generate(check=True)
    assert not outcome.ok
    assert package.states(outcome) == {
        "manifest.json": "missing",
        "modules/core/specs_generated/core_v1_openapi.json": "missing",
        SPEC: "missing",
    }
    assert package.files() == before


def test_G01_check_lists_stale_files_and_orphans_and_the_changes_behind_them(package: Package) -> None:
    package.generate()
    package.edit("modules/items/api/v1.py", "price: float", "price: str")
    package.path("modules/items/specs_generated/items_v9_openapi.json").write_text("{}")
    outcome = package.generate(check=True)
    assert package.states(outcome) == {
        SPEC: "stale",
        "modules/items/specs_generated/items_v9_openapi.json": "orphan",
    }
    lines = [change.line() for change in outcome.changes]
    assert "items v1: GET /item: response 200: Item.price: number -> string [breaking]" in lines


def test_G01_check_finds_stale_routers_without_writing_them(package: Package) -> None:
    talk = package.add_with_websockets("talk")
    package.generate()
    generated = talk / "ws" / "v1" / "ws_generated"
    (generated / "echo.py").write_text("half a fi")
    before = package.files()
    outcome = package.generate(check=True)
    assert package.states(outcome)["modules/talk/ws/v1/ws_generated/echo.py"] == "stale"
    assert any("talk" in note for note in outcome.notes)
    assert package.files() == before


def test_G03_nothing_changed_nothing_rewritten(package: Package) -> None:
    package.generate()
    before = package.files()
    stamp_path(package.folder).unlink()
    outcome = package.generate()
    assert (outcome.ok, outcome.files, outcome.changes) == (True, [], [])
    assert package.files() == before


def test_G03_what_changed_is_told_and_only_that_is_written(package: Package) -> None:
    package.generate()
    package.edit("modules/items/api/v1.py", "price: float", "price: float\n    size: int = 1")
    outcome = package.generate()
    assert package.states(outcome) == {SPEC: "written"}
    assert [change.line() for change in outcome.changes] == [
        "items v1: GET /item: response 200: Item.size: added",
    ]


def test_G03_a_comment_in_the_source_changes_nothing(package: Package) -> None:
    package.generate()
    package.edit("modules/items/api/v1.py", "price: float", "price: float  # in the currency of the account")
    outcome = package.generate()
    assert (outcome.current, outcome.files) == (False, [])


def test_A02_versions_stand_side_by_side(package: Package) -> None:
    package.add("both", {**ITEMS, "api/v2.py": API.replace("price: float", "price: str")})
    outcome = package.generate()
    folder = "modules/both/specs_generated/both"
    assert {f"{folder}_v1_openapi.json", f"{folder}_v2_openapi.json"} <= package.states(outcome).keys()
    (package.folder / "modules/both/api/v1.py").unlink()
    outcome = package.generate()
    assert package.states(outcome)[f"{folder}_v1_openapi.json"] == "removed"
    removed = [change for change in outcome.changes if change.change.kind == "contract.removed"]
    assert [change.change.breaking for change in removed] == [False], "clients have v2 to go to"


def test_G01_only_the_named_modules_are_touched(package: Package) -> None:
    package.add("more")
    package.generate()
    package.edit("modules/items/api/v1.py", "price: float", "price: str")
    package.edit("modules/more/api/v1.py", "price: float", "price: str")
    outcome = package.generate("more")
    assert package.states(outcome) == {"modules/more/specs_generated/more_v1_openapi.json": "written"}
    assert list(json.loads(package.path("manifest.json").read_text())["modules"]) == ["core", "items", "more"]


def test_G01_what_a_removed_module_left_behind_is_removed(package: Package) -> None:
    package.add("former")
    package.generate()
    folder = package.path("modules/former")
    for path in [*folder.glob("*.py"), *folder.glob("api/*.py")]:
        path.unlink()
    outcome = package.generate()
    assert package.states(outcome) == {
        "modules/former/specs_generated/former_v1_openapi.json": "removed",
        "manifest.json": "written",
    }
    assert "former v1: REST contract: removed [breaking]" in [change.line() for change in outcome.changes]


def test_G06_clean_removes_exactly_what_is_generated(package: Package) -> None:
    package.add_with_websockets("talk")
    sources = package.files()
    package.generate()
    package.path("modules/items/client_generated").mkdir()
    package.path("modules/items/client_generated/items_v1_client.py").write_text("")
    package.path("clients").mkdir()
    assert package.files() != sources
    assert clean_generated(package.site)
    assert package.files() == sources
    assert not package.path("clients").exists()
    assert clean_generated(package.site) == []
    assert package.generate().ok


def test_G03_the_stamp_ends_a_run_at_once_until_something_changes(package: Package) -> None:
    package.generate()
    assert package.generate().current
    assert package.generate(check=True).current
    assert package.generate("items").current, "part of everything"
    assert not package.generate(quick=False, check=True).current, "the clients were never made"
    package.path(SPEC).write_text("{}")
    assert package.states(package.generate()) == {SPEC: "written"}
    assert package.generate().current
    package.edit("modules/core/__init__.py", "An example.", "Another text.")
    assert not package.generate().current


def test_G03_a_run_over_some_modules_says_nothing_of_the_others(package: Package) -> None:
    package.add("more")
    package.generate("items", "core")
    assert package.generate("items").current
    assert not package.generate("more").current
    assert not package.generate(check=True).current


def test_G03_a_stamp_that_cannot_be_read_costs_a_run_and_no_more(package: Package) -> None:
    package.generate()
    for text in ("", "{", "[]", '{"format": 2}', '{"format": 1, "tree": 1, "scopes": 3}'):
        stamp_path(package.folder).write_text(text)
        outcome = package.generate()
        assert (outcome.ok, outcome.current) == (True, False)
    assert read_stamp(package.folder).tree


def test_G09_a_source_that_changes_meanwhile_is_not_stamped(package: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    def edit_meanwhile(*arguments: object) -> str | None:
        package.path("modules/items/service.py").write_text("# saved while generating\n")
        return merged_manifest(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("trading_api.codegen.pipeline.merged_manifest", edit_meanwhile)
    assert package.generate().ok
    monkeypatch.undo()
    assert not package.generate().current
    assert package.generate().current


def test_M06_a_tree_that_may_not_be_written_is_fine_while_it_is_current(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    package.generate()
    stamp_path(package.folder).unlink()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "somewhere")

    monkeypatch.setattr("trading_api.codegen.files.replace_if_different", refuse)
    monkeypatch.setattr("trading_api.shared.atomic.replace_if_different", refuse)
    assert package.generate().ok
    package.path("manifest.json").unlink()
    outcome = package.generate()
    assert [failure.reason for failure in outcome.failures] == ["somewhere: cannot be written: Permission denied"]


def test_G01_core_itself_may_be_broken(package: Package) -> None:
    package.generate()
    before = package.path("manifest.json").read_bytes()
    package.path("modules/core/__init__.py").write_text("raise RuntimeError('no core')\n")
    outcome = package.generate()
    assert "no core" in outcome.failures[0].reason
    assert package.path("manifest.json").read_bytes() == before


def test_G02_a_module_without_websockets_has_no_asyncapi(package: Package) -> None:
    package.add_with_websockets("talk")
    states = package.states(package.generate())
    assert "modules/talk/specs_generated/talk_v1_asyncapi.json" in states
    assert "modules/items/specs_generated/items_v1_asyncapi.json" not in states
