"""The guide to the import shows what the import says."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
import pytest

from trading_api.modules.datafeed.commands import main
from trading_api.modules.datafeed.importing.request import EXCHANGE_CALENDARS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "how-to" / "import-data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\w*\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRADING_STORE_URL", raising=False)
    (tmp_path / "docs").symlink_to(ROOT / "docs")


def said(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    main(command.split()[4:])
    told = capsys.readouterr()
    return told.err + told.out


def test_D02_guide_shows_an_import(capsys: pytest.CaptureFixture[str]) -> None:
    command, shown = BLOCKS[:2]
    assert said(command, capsys) == shown


def test_D02_guide_shows_a_refusal(capsys: pytest.CaptureFixture[str]) -> None:
    content, shown = BLOCKS[2:4]
    Path("bad.csv").write_text(content)
    command = ".venv/bin/python -m trading_api import bad.csv --symbol AAPL --resolution 1 --timezone America/New_York"
    assert said(command, capsys) == shown


def test_D02_guide_shows_how_to_round_the_noise_of_floats(capsys: pytest.CaptureFixture[str]) -> None:
    Path("KO.csv").write_text("time,open,high,low,close\n2024-01-02,63.050000000000004,63.06,63,63.01\n")
    told = said(".venv/bin/python -m trading_api import KO.csv --symbol KO --resolution 1D", capsys).splitlines()
    assert all(f"  {line}\n" in PAGE for line in told[:2])
    assert told[2:] == ["refused: 1 problem in 1 row; nothing was written"]


def test_D02_guide_shows_a_new_symbol(capsys: pytest.CaptureFixture[str]) -> None:
    command, shown = BLOCKS[4:6]
    first = datetime(2024, 7, 3, 9, 25, tzinfo=ZoneInfo("America/New_York"))
    times = pa.array([first + timedelta(minutes=n) for n in range(240)], pa.timestamp("us", "America/New_York"))
    numbers = {"open": 63.1, "high": 63.25, "low": 63.05, "close": 63.2, "volume": 100}
    pq.write_table(pa.table({"time": times, **{name: [value] * 240 for name, value in numbers.items()}}), "KO.parquet")
    assert said(command, capsys) == shown


@pytest.mark.parametrize(
    "option", ["columns", "timezone", "dry-run", "replace", "exchange", "type", "session", "store", "wait"]
)
def test_D02_guide_names_every_option(option: str) -> None:
    assert f"`--{option}" in PAGE


def test_D02_guide_names_real_calendars() -> None:
    assert {"XNYS", "XLON", "CMES"} <= set(EXCHANGE_CALENDARS.values())
