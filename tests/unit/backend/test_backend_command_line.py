"""The command line: verbs, defaults and wrong usage (M01)."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

import pytest

from trading_api import __main__ as command_line
from trading_api.modules.datafeed.importing.report import failure_json
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


STOPS = (signal.SIGINT, signal.SIGTERM)
INTERRUPTED = "interrupted; nothing was written; run it again, which is safe"


class _Left(Exception):
    """Instead of the end of this process; says the exit code."""


def load_as(monkeypatch: pytest.MonkeyPatch, load: Callable[[], None]) -> None:
    """Have `load` done while a verb is loaded, which answers 0."""

    def import_module(_: str) -> ModuleType:
        load()
        stand_in = ModuleType("stand_in")
        stand_in.main = lambda _: 0  # type: ignore[attr-defined]
        return stand_in

    def leave(code: int) -> None:
        raise _Left(code)

    monkeypatch.setattr(command_line, "import_module", import_module)
    monkeypatch.setattr(os, "_exit", leave)


@pytest.fixture
def _usual_handlers() -> Iterator[None]:
    before = [signal.signal(signal.SIGINT, signal.default_int_handler), signal.signal(signal.SIGTERM, signal.SIG_DFL)]
    yield
    for number, handler in zip(STOPS, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.usefixtures("_usual_handlers")
@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("verb", ["import", "instruments", "migrate"])
def test_D02_verb_that_is_stopped_while_it_is_loaded_says_so(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], stop: signal.Signals, verb: str
) -> None:
    load_as(monkeypatch, lambda: signal.raise_signal(stop))
    with pytest.raises(_Left, match="1"):
        command_line.main([verb, "FILE"])
    told = capfd.readouterr()
    assert (told.out, told.err) == ("", f"python -m trading_api {verb}: {INTERRUPTED}\n")
    with pytest.raises(_Left, match="1"):
        command_line.main([verb, "FILE", "--json"])
    told = capfd.readouterr()
    assert told.err == ""
    assert json.loads(told.out) == json.loads(failure_json(INTERRUPTED))


@pytest.mark.usefixtures("_usual_handlers")
def test_D02_verb_that_is_loaded_handles_its_own_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    load_as(monkeypatch, lambda: None)
    assert command_line.main(["import"]) == 0
    assert [signal.getsignal(each) for each in STOPS] == [signal.default_int_handler, signal.SIG_DFL]


@pytest.mark.usefixtures("_usual_handlers")
def test_D02_signal_that_is_ignored_or_of_other_use_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))

    def raise_both() -> None:
        for each in STOPS:
            signal.raise_signal(each)

    load_as(monkeypatch, raise_both)
    assert command_line.main(["import"]) == 0
    assert seen == [signal.SIGTERM]


def test_D02_verb_is_loaded_in_any_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the first one may say what a signal does."""
    load_as(monkeypatch, lambda: None)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(command_line.main, ["import"]).result() == 0


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
