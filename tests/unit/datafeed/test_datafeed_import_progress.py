"""What an import tells while it runs, and that an interruption is told as it is."""

import io
import itertools
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from support.import_counter import Counter

from trading_api.modules.datafeed import commands
from trading_api.modules.datafeed.bars.staging import BarStaging
from trading_api.modules.datafeed.importing import progress
from trading_api.modules.datafeed.importing.progress import ProgressBar, Stage


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def counter(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Counter:
    return Counter(tmp_path, capsys)


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every look at the clock is a second later."""
    ticks = itertools.count()
    monkeypatch.setattr(progress, "time", SimpleNamespace(monotonic=lambda: float(next(ticks))))


def shown(terminal: Terminal) -> list[str]:
    """What stood on the line, one after the other, without colours."""
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", terminal.getvalue())
    return [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]


@pytest.mark.parametrize("width", ["200", "80", "40", "20"])
def test_D02_progress_fits_into_every_terminal(width: str, seconds: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", width)
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar(Stage.READING, 1_000, 0.25)
        bar(Stage.READING, 2_000_000, 0.5)
        bar(Stage.COMPARING, 4_000_000, None)
        bar(Stage.WAITING, 4_000_000, None)
        bar(Stage.WRITING, 4_000_000, 0.75)
    lines = shown(terminal)
    assert any(line.startswith("reading") for line in lines)
    assert lines[-1].startswith("writing")
    assert max(map(len, lines)) <= int(width)
    if width == "200":
        assert any("50%" in line and "2,000,000 rows" in line and "rows/s" in line for line in lines)
        assert "75%" in lines[-1]


def test_D02_progress_leaves_no_trace(seconds: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar(Stage.READING, 1, 0.5)
    assert terminal.getvalue().rstrip().endswith("\x1b[2K"), "the line was not cleared"
    assert "\x1b[?25h" in terminal.getvalue(), "the cursor was not given back"


def test_D02_short_import_shows_nothing() -> None:
    terminal = Terminal()
    with ProgressBar(terminal) as bar:
        bar(Stage.READING, 1, 1.0)
    assert terminal.getvalue() == ""


def test_D02_no_terminal_is_shown_nothing(seconds: None) -> None:
    file = io.StringIO()
    with ProgressBar(file) as bar:
        for stage in Stage:
            bar(stage, 10, 0.5)
    assert file.getvalue() == ""


def test_D02_interruption_of_reading_wrote_nothing(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BarStaging, "merge", interrupt)
    answer = counter.hand_in("2024-01-02")
    assert answer.code == 1
    assert "interrupted; nothing was written; run it again, which is safe" in answer.err
    assert not counter.database.exists()


def test_D02_interruption_of_writing_is_told_as_what_it_is(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(BarStaging, "commit", interrupt)
    answer = counter.hand_in("2024-01-02", options=("--json",))
    assert answer.code == 1
    assert answer.failure["error"] == "interrupted; all of the file was stored, or nothing; run it again, which is safe"
    assert counter.bars() == []


def test_D02_stages_are_told_in_order(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[Stage, int, float | None]] = []

    class Recorder(ProgressBar):
        def __call__(self, stage: Stage, rows: int, fraction: float | None) -> None:
            told.append((stage, rows, fraction))

    monkeypatch.setattr(commands, "ProgressBar", Recorder)
    assert counter.hand_in("2024-01-02", "2024-01-03").code == 0
    assert [stage for stage, _ in itertools.groupby(told, key=lambda entry: entry[0])] == [
        Stage.READING,
        Stage.COMPARING,
        Stage.WRITING,
    ]
    assert {rows for _, rows, _ in told} == {2}
    assert all(fraction is None or 0 <= fraction <= 1 for _, _, fraction in told)
