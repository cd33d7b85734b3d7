"""Where tests hand in files to be imported, within this process."""

import json
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.store_file import put_store

from trading_api.modules.datafeed.bars.bar import ScaledBar
from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.bars.store import SeriesKey
from trading_api.modules.datafeed.commands import main
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_store import InstrumentStore
from trading_api.modules.datafeed.resolution import Resolution

HEADER = "time,open,high,low,close,volume\n"
NUMBERS = "10,12,9,11,5"


@dataclass
class Answer:
    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """What `--json` told."""
        told: dict[str, Any] = json.loads(self.out)
        return told

    @property
    def failure(self) -> dict[str, Any]:
        """The one JSON object of a failure; nothing else may have been said."""
        assert self.err == ""
        answer = self.report
        assert answer["ok"] is False
        assert answer["error"]
        assert answer["problems"]
        return answer


class Counter:
    """A folder with files to import and one store."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.database = folder / "data" / "trading.db"
        self.file = folder / "file.csv"
        self._capsys = capsys

    def with_store(self) -> "Counter":
        """The store is there already: making it takes most of the time of an import."""
        put_store(self.database)
        return self

    def ask(self, file: str, *options: str, resolution: str = "1D", symbol: str = "AAPL") -> Answer:
        store = f"sqlite:///{self.database}"
        code = main([file, "--symbol", symbol, "--resolution", resolution, "--store", store, *options])
        said = self._capsys.readouterr()
        return Answer(code, said.out, said.err)

    def hand_in(
        self, *times: str, options: tuple[str, ...] = (), resolution: str = "1D", symbol: str = "AAPL"
    ) -> Answer:
        """A file whose rows differ in their times only; the first is on line 2."""
        rows = "".join(f"{time},{NUMBERS}\n" for time in times)
        return self.hand_in_file(HEADER + rows, options=options, resolution=resolution, symbol=symbol)

    def hand_in_rows(self, *rows: str, options: tuple[str, ...] = (), resolution: str = "1D") -> Answer:
        return self.hand_in_file(HEADER + "".join(f"{row}\n" for row in rows), options=options, resolution=resolution)

    def hand_in_file(
        self,
        content: str | bytes,
        *,
        options: tuple[str, ...] = (),
        resolution: str = "1D",
        symbol: str = "AAPL",
        name: str = "file.csv",
    ) -> Answer:
        self.file = self.folder / name
        self.file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return self.ask(str(self.file), *options, resolution=resolution, symbol=symbol)

    def bars(self, symbol: str = "AAPL", resolution: str = "1D") -> list[ScaledBar]:
        with closing(open_store(f"sqlite:///{self.database}")) as store:
            return store.series(SeriesKey(symbol, Resolution(resolution))).newest(end=None, limit=100_000)

    def added(self) -> list[Instrument]:
        with closing(open_store(f"sqlite:///{self.database}")) as store:
            return InstrumentStore(store.engine).all()
