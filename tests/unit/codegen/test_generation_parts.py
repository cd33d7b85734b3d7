"""The parts of the generator that need no module: trees, stamps, names, reports."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.codegen import report
from trading_api.codegen.contract_changes import SpecChange, contract_changes
from trading_api.codegen.differ import Change
from trading_api.codegen.documents import SpecName, spec_name
from trading_api.codegen.files import FileChange, FilePlan
from trading_api.codegen.full_run import patient
from trading_api.codegen.outcome import Failure, Outcome
from trading_api.codegen.stamp import Scope, Stamp, read_stamp, write_stamp
from trading_api.codegen.tree import Tree, read_tree

NAMES = st.sets(st.sampled_from(["a", "b", "c"]))
SCOPES = st.builds(lambda names, quick: Scope(frozenset(names), quick), NAMES, st.booleans())


def tree(**files: str) -> Tree:
    return Tree(files, "environment")


def test_G03_a_tree_is_what_its_files_hold_and_are_called(tmp_path: Path) -> None:
    (tmp_path / "sub" / "__pycache__").mkdir(parents=True)
    (tmp_path / "sub" / "a.py").write_text("1")
    before = read_tree(tmp_path)
    assert list(before.files) == ["sub/a.py"]
    (tmp_path / "sub" / "__pycache__" / "a.pyc").write_text("x")
    (tmp_path / "sub" / ".a.py.tmp").write_text("x")
    assert read_tree(tmp_path).digest == before.digest
    (tmp_path / "sub" / "a.py").rename(tmp_path / "sub" / "b.py")
    assert read_tree(tmp_path).digest != before.digest


def test_G03_another_package_installed_makes_another_tree() -> None:
    assert Tree({"a": "1"}, "black 25").digest != Tree({"a": "1"}, "black 26").digest


def test_G03_moving_text_between_path_and_content_is_a_difference() -> None:
    assert tree(ab="c").digest != tree(a="bc").digest


@given(SCOPES, SCOPES, SCOPES)
def test_G03_covering_is_an_order(one: Scope, other: Scope, third: Scope) -> None:
    assert one.covered_by(one)
    assert one.covered_by(Scope())
    if one.covered_by(other) and other.covered_by(third):
        assert one.covered_by(third)
    if one.covered_by(other) and other.covered_by(one):
        assert one == other


@given(st.sets(SCOPES, max_size=3), SCOPES)
def test_G03_a_stamp_covers_what_was_done_for_its_tree_only(done: set[Scope], asked: Scope) -> None:
    stamp = Stamp()
    for scope in done:
        stamp = stamp.extended(tree(a="1"), scope, {})
    assert stamp.covers(tree(a="1"), asked) == any(asked.covered_by(scope) for scope in done)
    assert not stamp.covers(tree(a="2"), asked)
    assert stamp.extended(tree(a="2"), asked, {}).scopes == {asked}


def test_G03_a_stamp_is_read_as_it_was_written(tmp_path: Path) -> None:
    stamp = Stamp("t", frozenset({Scope(), Scope(frozenset({"b", "a"}), quick=True)}), {"a:v1": "x"})
    write_stamp(tmp_path, stamp)
    assert read_stamp(tmp_path) == stamp


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("broker_v1_openapi.json", SpecName("broker", "v1", "openapi")),
        ("order_book_v10_asyncapi.json", SpecName("order_book", "v10", "asyncapi")),
        ("readme.json", None),
        ("broker_v1_openapi.yaml", None),
    ],
)
def test_G02_names_of_spec_files(file: str, expected: SpecName | None) -> None:
    assert spec_name(file) == expected
    assert expected is None or expected.file == file


def test_G03_a_version_may_be_retired_when_there_is_a_newer_one() -> None:
    one, two, ten = (SpecName("a", version, "openapi") for version in ("v1", "v2", "v10"))
    other = SpecName("b", "v9", "openapi")
    assert [found.change.breaking for found in contract_changes({two: {}}, {ten: {}, two: {}})] == [False]
    assert [found.change.breaking for found in contract_changes({two: {}, ten: {}}, {ten: {}})] == [False]
    assert [found.change.breaking for found in contract_changes({two: {}, one: {}}, {one: {}, other: {}})] == [
        True,
        False,
    ]


def test_G01_a_file_plan_tells_before_what_it_does(tmp_path: Path) -> None:
    folder = tmp_path / "generated"
    folder.mkdir()
    (folder / "stale").write_text("old")
    (folder / "same").write_text("same")
    (folder / "kept").write_text("whatever")
    (folder / "orphan").write_text("old")
    (folder / ".half.tmp").write_text("of a writer at work")
    plan = FilePlan(kept={folder / "kept"})
    plan.add(folder, {"stale": "new", "same": "same", "deep/missing": "new"})
    assert {change.path.name: change.state for change in plan.drift()} == {
        "stale": "stale",
        "missing": "missing",
        "orphan": "orphan",
    }
    assert {change.path.name: change.state for change in plan.apply()} == {
        "stale": "written",
        "missing": "written",
        "orphan": "removed",
    }
    assert plan.drift() == []
    assert (folder / ".half.tmp").exists()


def test_G01_progress_is_told_only_when_it_takes_long() -> None:
    times = iter([0.0, 0.5, 1.5])
    told: list[str] = []
    say = patient(told.append, clock=lambda: next(times))
    say("broker: client")
    say("core: client")
    assert told == ["core: client …\n"]


CHANGE = SpecChange(SpecName("broker", "v1", "openapi"), Change("k", "GET /a", "removed", "both", breaking=True))


def test_G01_the_report_names_every_problem_and_the_command() -> None:
    outcome = Outcome(check=True, files=[FileChange(Path("/x/a.py"), "stale")], changes=[CHANGE], base="v0.1.0")
    outcome.failures.append(Failure("broker", "module 'broker' …: api/v1.py:3: no"))
    outcome.broken.append(CHANGE)
    assert not outcome.ok
    assert list(report.told(outcome)) == ["broker v1: GET /a: removed [breaking]", "/x/a.py: stale"]
    wrong = list(report.wrong(outcome))
    assert wrong[0] == "error: module 'broker' …: api/v1.py:3: no"
    assert wrong[1] == "error: generated files are not up to date (1 file); run: make generate"
    assert wrong[2:] == [
        "broker v1: GET /a: removed [breaking]",
        "error: 1 breaking change since v0.1.0 without a new version; "
        "keep the old version as it was and make the change in a new one (api/v2.py)",
    ]


def test_G01_the_report_as_json_is_whole(capsys: pytest.CaptureFixture[str]) -> None:
    report.print_outcome(Outcome(changes=[CHANGE], notes=["n"]), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] is True
    assert document["changes"] == [
        {
            "module": "broker",
            "version": "v1",
            "document": "openapi",
            "kind": "k",
            "where": "GET /a",
            "what": "removed",
            "direction": "both",
            "breaking": True,
            "also": 0,
        }
    ]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_G01_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    report.print_outcome(Outcome(changes=[CHANGE]), as_json=False)
    assert "\033" not in capsys.readouterr().out
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    report.print_outcome(Outcome(changes=[CHANGE]), as_json=False)
    assert "\033[31mbroker v1: GET /a: removed [breaking]\033[0m" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    terminal.truncate(0)
    report.print_outcome(Outcome(changes=[CHANGE]), as_json=False)
    assert "\033" not in terminal.getvalue()
