"""The verb new-module in a checkout of its own: what it refuses, what it says, and its exit codes (A07)."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from trading_api import __main__ as command_line
from trading_api.codegen.new_module import command, report
from trading_api.codegen.new_module.request import NewModule

Run = Callable[..., int]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty checkout that the verb takes for its own; generating does nothing in it."""
    package = tmp_path / "backend" / "src" / "trading_api"
    for folder in (package / "modules", package / "models", tmp_path / "tests" / "unit"):
        folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    monkeypatch.setattr(command, "PACKAGE_FOLDER", package)
    monkeypatch.setattr(command, "_generate", lambda _package: True)
    return tmp_path


def written(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.suffix == ".py")


def test_A07_wrong_names_are_wrong_usage_and_write_nothing(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["Order-Book", "--version", "1"]) == 2
    assert capsys.readouterr().err.count("error: ") == 2
    assert written(root) == []


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["a", "--wss"]])
def test_A07_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command_line.main(["new-module", *arguments])
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "taken",
    [
        "backend/src/trading_api/modules/risk/",
        "backend/src/trading_api/models/risk/",
        "backend/src/trading_api/models/risk.py",
        "tests/unit/risk/",
    ],
)
def test_A07_what_exists_is_named_and_left_alone(root: Path, capsys: pytest.CaptureFixture[str], taken: str) -> None:
    path = root / taken
    path.mkdir() if taken.endswith("/") else path.write_text("mine = 1\n")
    before = written(root)
    assert command.main(["risk"]) == 1
    assert capsys.readouterr().err == f"error: {taken.rstrip('/')} exists; nothing was written\n"
    assert written(root) == before
    assert path.is_file() or not any(path.iterdir())


def test_A07_everything_that_exists_is_named_at_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["risk"]) == 0
    capsys.readouterr()
    assert command.main(["risk"]) == 1
    assert capsys.readouterr().err.count(" exists; nothing was written") == 3


def test_A07_a_folder_that_cannot_be_written_is_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "tests" / "unit").rmdir()
    assert command.main(["risk"]) == 1
    error = capsys.readouterr().err
    assert error == "error: tests/unit/risk: No such file or directory; nothing was written\n"
    assert written(root) == []


def test_A07_an_installed_package_has_no_place_for_a_module(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "pyproject.toml").unlink()
    assert command.main(["risk"]) == 1
    assert "not in a checkout" in capsys.readouterr().err
    assert written(root) == []


def test_A07_generation_that_fails_is_a_failure_and_the_module_stays(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_generate", lambda _package: False)
    assert command.main(["risk"]) == 1
    assert "run: make generate" in capsys.readouterr().err
    assert "backend/src/trading_api/modules/risk/__init__.py" in written(root)


def test_A07_the_answer_lists_the_files_and_the_next_steps(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "dev-config.yaml").write_text("servers:\n  a:\n    modules: [broker, x ]  # mine\n")
    assert command.main(["order_book", "--ws"]) == 0
    text = capsys.readouterr().out
    assert all(path in text for path in written(root))
    for word in ("modules: [broker, x, order_book]\n", "/api/v1/order_book/ws\n", "tests/unit/order_book\n"):
        assert word in text


def test_A07_json_says_the_same(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["new-module", "order_book", "--version", "v2", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert sorted(answer.pop("files")) == written(root)
    assert answer == {
        "ok": True,
        "errors": [],
        "module": "order_book",
        "version": "v2",
        "yaml": "modules: [order_book]",
        "tests": "tests/unit/order_book",
        "rest": "/api/v2/order_book/notes/{key}",
        "ws": None,
        "docs": "/api/v2/order_book/docs",
        "generated": True,
    }


@pytest.mark.parametrize(("name", "code", "said"), [("Order-Book", 2, "write words"), ("risk", 1, "exists")])
def test_A07_json_tells_of_failures_too(
    root: Path, capsys: pytest.CaptureFixture[str], name: str, code: int, said: str
) -> None:
    (root / "tests" / "unit" / "risk").mkdir()
    assert command.main([name, "--json"]) == code
    output, errors = capsys.readouterr()
    answer = json.loads(output)
    assert (answer["ok"], errors) == (False, "")
    assert said in answer["errors"][0]


def test_A07_json_tells_of_generation_that_failed(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "_generate", lambda _package: False)
    assert command.main(["risk", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["ok"], answer["generated"], len(answer["errors"])) == (False, False, 1)
    assert "run: make generate" in answer["errors"][0]


@pytest.mark.parametrize("config", ["", "servers: {}", "servers:\n  core:\n    modules: []\n", "# modules: [broker]\n"])
def test_A07_a_configuration_without_modules_gets_a_line_of_its_own(config: str) -> None:
    answer = report.Written(NewModule("risk"), files=(), tests="tests", config=config)
    assert answer.yaml_line() == "modules: [risk]"
