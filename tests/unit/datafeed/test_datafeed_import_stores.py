"""What an import says of its store and of the symbol it is for, and how it waits for other writers."""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from support.import_counter import HEADER, Counter

from trading_api.modules.datafeed import commands
from trading_api.modules.datafeed.bars.staging import BarStaging
from trading_api.modules.datafeed.importing.progress import ProgressBar, Stage


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Counter:
    return Counter(tmp_path, capsys)


@contextmanager
def another_writer(counter: Counter) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(counter.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def test_D02_import_says_which_store_it_went_into(counter: Counter) -> None:
    first, second = counter.hand_in("2024-01-02"), counter.hand_in("2024-01-02")
    as_into = f"imported {counter.file} as AAPL 1D into {counter.database}"
    assert first.out.splitlines()[0] == f"{as_into} (new)"
    assert second.out.splitlines()[0] == as_into


def test_D02_store_is_told_to_programs(counter: Counter) -> None:
    dry, made, again = (counter.hand_in("2024-01-02", options=("--json", *more)) for more in (("--dry-run",), (), ()))
    told = [(answer.report["store"], answer.report["store_created"]) for answer in (dry, made, again)]
    assert told == [(str(counter.database), created) for created in (False, True, False)]


def test_D02_refused_import_updated_nothing(counter: Counter) -> None:
    assert counter.hand_in("2024-01-02").code == 0
    answer = counter.hand_in_rows("2024-01-02,1,2,1,2,5", "2024-01-03,1,2,1,2,5", options=("--json",))
    assert answer.code == 1
    assert (answer.failure["updated"], answer.failure["inserted"]) == (0, 0)


def test_D02_bars_that_cannot_be_kept_are_refused_with_file_and_resolution(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ValueError("more than 18 digits")

    monkeypatch.setattr(BarStaging, "commit", refuse)
    answer = counter.hand_in("2024-01-02")
    assert (answer.code, answer.out) == (1, "")
    assert f"{counter.file}: cannot be stored as AAPL 1D: more than 18 digits" in answer.err
    assert answer.err.endswith("refused: 1 problem in 1 row; nothing was written\n")
    assert counter.bars() == []


def test_D02_import_waits_for_another_writer_and_says_so(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counter.hand_in("2024-01-02").code == 0
    stages: list[Stage] = []
    with another_writer(counter) as other:

        class Recorder(ProgressBar):
            def __call__(self, stage: Stage, *_: object) -> None:
                stages.append(stage)
                if stage is Stage.WAITING:
                    other.execute("ROLLBACK")

        monkeypatch.setattr(commands, "ProgressBar", Recorder)
        assert counter.hand_in("2024-01-03").code == 0
    assert Stage.WAITING in stages
    assert len(counter.bars()) == 2


def test_D02_import_that_waited_long_enough_writes_nothing(counter: Counter) -> None:
    assert counter.hand_in("2024-01-02").code == 0
    with another_writer(counter):
        answer = counter.hand_in("2024-01-03", options=("--wait", "0.05"))
    assert answer.code == 1
    assert "locked: another process is writing to it" in answer.err
    assert answer.err.endswith("nothing was written\n")
    assert len(counter.bars()) == 1


def test_D02_waiting_import_can_be_interrupted(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counter.hand_in("2024-01-02").code == 0

    class Interrupted(ProgressBar):
        def __call__(self, stage: Stage, *_: object) -> None:
            if stage is Stage.WAITING:
                raise KeyboardInterrupt

    monkeypatch.setattr(commands, "ProgressBar", Interrupted)
    with another_writer(counter):
        answer = counter.hand_in("2024-01-03")
    assert answer.code == 1
    assert "interrupted; nothing was written" in answer.err


@pytest.mark.parametrize("seconds", ["-1", "nan", "soon", "inf"])
def test_D02_wait_that_is_no_time_is_wrong_usage(counter: Counter, seconds: str) -> None:
    answer = counter.hand_in("2024-01-02", options=("--wait", seconds))
    assert answer.code == 2
    assert "is not a time" in answer.err


@pytest.mark.parametrize(
    ("symbol", "row", "message"),
    [
        (
            "ES",
            "4800.25,4800.50,4800.13,4800.25,5",
            "1 row has prices off the tick 0.25 of ES (the finest has 2 decimals)",
        ),
        ("MSFT", "1.123456,2,1,2,5", "1 row has prices off the tick 0.01 of MSFT (the finest has 6 decimals)"),
        ("ES", "1,2,1,2,5.5", "1 row has volumes finer than the step 1 of ES (the finest has 1 decimal)"),
    ],
)
def test_D02_bars_finer_than_their_symbol_are_kept_with_a_warning(
    counter: Counter, symbol: str, row: str, message: str
) -> None:
    answer = counter.hand_in_file(f"{HEADER}2024-01-02,{row}\n", symbol=symbol, options=("--json",))
    assert answer.code == 0
    assert json.loads(answer.out)["warnings"] == [f"{message}; they are kept as they are, but charts round them"]


@pytest.mark.parametrize("symbol", ["ES", "NEW"])
def test_D02_bars_as_fine_as_their_symbol_need_no_warning(counter: Counter, symbol: str) -> None:
    answer = counter.hand_in_file(f"{HEADER}2024-01-02,4800.25,4800.75,4800,4800.50,5\n", symbol=symbol)
    assert (answer.code, answer.err) == (0, "")


def test_D02_only_the_import_that_keeps_a_new_symbol_says_so(counter: Counter) -> None:
    coarse, fine = (f"{HEADER}2024-01-0{day},1,2,1,{close},5\n" for day, close in ((2, "2"), (3, "1.5")))
    dry, first, again, finer, refused = (
        counter.hand_in_file(content, symbol="NEW", options=options).out
        for content, options in (
            (coarse, ("--dry-run",)),
            (coarse, ()),
            (coarse, ()),
            (fine, ()),
            (coarse.replace("5\n", "5.25\n"), ()),
        )
    )
    assert "NEW is not in the catalogue; it would be kept with type stock" in dry
    assert "NEW is not in the catalogue; it is kept with type stock" in first
    assert "NEW" not in "".join(again.splitlines()[1:])
    assert finer.splitlines()[-1] == "  NEW is kept with finer steps: pricescale 10, volume precision 0"
    assert refused == ""


def test_D02_refused_import_tells_programs_of_no_symbol(counter: Counter) -> None:
    answer = counter.hand_in_file(f"{HEADER}x,1,2,1,2,5\n", symbol="NEW", options=("--json",))
    assert answer.failure["instrument"] is None


@pytest.mark.parametrize(("finer", "said"), [(False, None), (True, "NEW is kept with finer steps: pricescale 10,")])
def test_D02_symbol_that_another_import_kept_meanwhile_is_not_told_as_kept(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, finer: bool, said: str | None
) -> None:
    """The other one is done while this one reads."""
    row = "2024-01-02,1,2,1,2,5\n"
    other = counter.folder / "other.csv"
    other.write_text(f"{HEADER}{row}")

    class Meanwhile(ProgressBar):
        def __call__(self, stage: Stage, *_: object) -> None:
            if stage is Stage.COMPARING and other.exists():
                monkeypatch.undo()
                assert counter.ask(str(other), symbol="NYSE:NEW").code == 0
                other.unlink()

    monkeypatch.setattr(commands, "ProgressBar", Meanwhile)
    more = "2024-01-03,1,2,1,1.5,5\n" if finer else ""
    answer = counter.hand_in_file(f"{HEADER}{row}{more}", symbol="NEW")
    assert f"{int(finer)} new, 0 updated, 1 unchanged" in answer.out
    assert "not in the catalogue" not in answer.out
    assert said is None or said in answer.out
    assert [(each.exchange, each.pricescale) for each in counter.added()] == [("NYSE", 10 if finer else 1)]


def test_D02_other_facts_of_a_known_symbol_say_how_to_change_them(counter: Counter) -> None:
    answer = counter.hand_in("2024-01-02", options=("--session", "0800-1600"))
    assert answer.code == 2
    assert "'instruments import --replace' changes it" in answer.err
