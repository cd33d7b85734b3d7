"""YAML with positions, references and bounds."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy import yaml_source
from deploy.errors import Problem
from deploy.yaml_source import Mark


def _messages(text: str, **environ: str) -> list[str]:
    return [problem.message for problem in yaml_source.read(text, environ).problems]


def test_C02_keys_and_values_have_positions() -> None:
    source = yaml_source.read("a:\n  b: [1, two]\n", {})
    assert source.data == {"a": {"b": [1, "two"]}}
    assert source.keys[("a", "b")] == Mark(2, 3)
    assert source.values[("a", "b", 1)] == Mark(2, 10)
    assert source.mark_of(("a", "b", 7, "deeper")) == Mark(2, 6)


def test_C02_aliases_are_read_but_a_bomb_is_refused() -> None:
    assert yaml_source.read("a: &x [1]\nb: *x\n", {}).data == {"a": [1], "b": [1]}
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]\n" for i in range(1, 9))
    assert "more than 20000 values" in _messages(bomb)[0]


def test_C02_deep_nesting_is_refused() -> None:
    assert "nested more than 16" in _messages("[" * 40 + "]" * 40)[0]


@pytest.mark.parametrize("text", ["a: " + "[" * 100_000, "- " * 100_000, "a: " + "{a: " * 50_000, "? " * 50_000])
def test_C02_absurd_nesting_does_not_end_the_process(text: str) -> None:
    """Composing such a text ends the interpreter by a segmentation fault."""
    (problem,) = yaml_source.read(text, {}).problems
    assert "nested" in problem.message or "not valid YAML" in problem.message


@pytest.mark.parametrize(
    "text", ["? [a]\n: 1\n", "a: !!python/object:os.system {}\n", "a: !!binary '?'\n", "a: !!int x\n"]
)
def test_C02_odd_yaml_is_a_problem_not_a_crash(text: str) -> None:
    source = yaml_source.read(text, {})
    assert source.problems or source.data is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v: ${PORT}", 8001),
        ("v: '${PORT}'", "8001"),
        ("v: ${PORT:-9}", 8001),
        ("v: ${NONE:-9}", 9),
        ("v: ${EMPTY:-true}", True),
        ("v: ${EMPTY}", ""),
        ("v: x${PORT}y", "x8001y"),
        ("v: $$x", "$x"),
        ("v: $${PORT}", "${PORT}"),
        ("v: 5$", "5$"),
        ("v: ${NONE:-}", None),
    ],
)
def test_C08_references_are_filled(text: str, expected: object) -> None:
    source = yaml_source.read(text, {"PORT": "8001", "EMPTY": ""})
    assert not source.problems
    filled = source.data["v"] if isinstance(source.data, dict) else None
    assert (filled or None) == (expected or None)
    assert type(filled) is type(expected) or expected in (None, "")


def test_C08_a_value_cannot_change_the_structure() -> None:
    source = yaml_source.read("a: ${EVIL}\n", {"EVIL": "1\nb: 2 # {x: y}"})
    assert source.data == {"a": "1\nb: 2 # {x: y}"}


def test_C08_a_missing_variable_names_itself_and_its_place() -> None:
    (problem,) = yaml_source.read("a:\n  b: x${NOPE}\n", {}).problems
    assert (problem.line, problem.column, problem.key) == (2, 6, "a.b")
    assert "NOPE" in problem.message
    assert "${NOPE:-value}" in problem.hint


@given(st.text(max_size=200))
def test_C02_any_text_is_read_or_refused_never_a_crash(text: str) -> None:
    source = yaml_source.read(text, {})
    assert source.problems or source.data is None or source.values


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"\xff\xfe\x00", "not UTF-8"), (b"a: 1\n\xff", "not UTF-8"), (b"#" * 2**20 + b"#", "larger than 1024 KiB")],
)
def test_C02_unreadable_files_are_problems(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(content)
    problem = yaml_source.read_file_text(path)
    assert isinstance(problem, Problem)
    assert words in problem.message


def test_C02_missing_file_and_folder_are_problems(tmp_path: Path) -> None:
    missing = yaml_source.read_file_text(tmp_path / "none.yaml")
    folder = yaml_source.read_file_text(tmp_path)
    assert isinstance(missing, Problem)
    assert "no such file" in missing.message
    assert isinstance(folder, Problem)
    assert "cannot be read" in folder.message


def test_C02_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert yaml_source.read_file_text(path) == "a: 1\n"
