"""The command line: verbs, defaults and wrong usage (M01)."""

import sys
from collections.abc import Sequence
from types import ModuleType

import pytest

from trading_api import __main__ as command_line
from trading_api.server.options import ServeOptions


def usage_error(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as caught:
        command_line.main(arguments)
    assert caught.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "VERB"),
        (["nope"], "nope"),
        (["serve", "--port", "65536"], "'65536' is not a port"),
        (["serve", "--port", "-1"], "'-1' is not a port"),
        (["serve", "--port", "http"], "'http' is not a port"),
        (["serve", "--grace", "0"], "'0' is not a time"),
        (["serve", "--grace", "nan"], "'nan' is not a time"),
        (["serve", "--grace", "soon"], "'soon' is not a time"),
        (["generate", "--chek"], "--chek"),
    ],
)
def test_M01_wrong_usage_is_explained_and_exits_with_2(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in usage_error(capsys, *arguments)


def test_M01_import_hands_its_arguments_to_the_datafeed(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Sequence[str]] = []

    def importer(arguments: Sequence[str]) -> int:
        seen.append(arguments)
        return 7

    stand_in = ModuleType("stand_in")
    stand_in.main = importer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "trading_api.modules.datafeed.commands", stand_in)
    assert command_line.main(["import", "FILE", "--help", "--symbol", "AAPL"]) == 7
    assert seen == [["FILE", "--help", "--symbol", "AAPL"]]


def test_M01_help_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["--help"])
    text = capsys.readouterr().out
    assert all(verb in text for verb in ("serve", "generate", "import"))


@pytest.mark.parametrize("grace", [0.3, 1.0, 3.0, 30.0])
def test_P05_requests_and_hooks_share_the_grace(grace: float) -> None:
    options = ServeOptions(grace_s=grace)
    assert options.drain_s + options.hooks_s == pytest.approx(grace)
    assert 0 < options.hooks_s <= 1
    assert options.drain_s >= options.hooks_s


def test_M01_defaults_are_loopback_port_8000_and_3_seconds() -> None:
    assert ServeOptions() == ServeOptions("127.0.0.1", 8000, 3.0)
