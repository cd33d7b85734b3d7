"""The command `instruments`: list, show, export, import."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from trading_api import __main__ as program
from trading_api.modules.datafeed.instruments import catalogue_source
from trading_api.modules.datafeed.instruments.catalogue import load_catalogue, parse_catalogue, write_catalogue
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_commands import main

ABC = Instrument("ABC", "NYSE", "stock", "Abc Ltd.", "0930-1600", "America/New_York", 100, 1, 0, "XNYS")
SHIPPED = sorted(load_catalogue(), key=lambda one: one.name)


class Desk:
    """A folder with catalogues and a store, and the command."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys
        self.database = folder / "data" / "trading.db"

    def run(self, *argv: str) -> tuple[int, str, str]:
        code = main(argv)
        printed = self.capsys.readouterr()
        return code, printed.out, printed.err

    def write(self, name: str, *instruments: Instrument) -> str:
        path = self.folder / name
        path.write_text(write_catalogue(instruments, path.suffix[1:]), encoding="utf-8")
        return str(path)

    def exported(self) -> list[Instrument]:
        code, out, _ = self.run("export")
        assert code == 0
        return list(parse_catalogue(out, name="-"))


@pytest.fixture
def desk(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(tmp_path)
    desk = Desk(tmp_path, capsys)
    monkeypatch.setenv("TRADING_STORE_URL", f"sqlite:///{desk.database}")
    return desk


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((), "required: VERB"),
        (("remove",), "invalid choice"),
        (("show",), "required: SYMBOL"),
        (("import",), "required: FILE"),
        (("list", "--limit", "0"), "'0' is not a count"),
        (("list", "--limit", "many"), "'many' is not a count"),
        (("list", "--type", "stok"), "invalid choice: 'stok'"),
        (("export", "x.yaml", "--format", "xml"), "invalid choice: 'xml'"),
        (("import", "nothing.yaml"), "nothing.yaml: no such file"),
        (("import", "folder"), "folder: ends neither in .yaml nor in .csv; say --format yaml or --format csv"),
        (("import", "folder", "--format", "csv"), "folder: is a directory"),
        (("import", "latin.csv"), "latin.csv:2: is not UTF-8"),
        (("import", "large.csv"), "large.csv: is larger than"),
        (("export", "folder"), "folder: ends neither"),
        (("export", "no/such/folder.yaml"), "no/such/folder.yaml: cannot be written: No such file or directory"),
        (("export", "folder", "--format", "csv"), "folder: cannot be written: Is a directory"),
        (("list", "--store", "mysql://u:secret@h/d"), "scheme 'mysql' is not supported"),
    ],
)
def test_D02_wrong_usage_is_exit_code_2(
    desk: Desk, argv: tuple[str, ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.folder / "folder").mkdir()
    (desk.folder / "latin.csv").write_bytes("name\nNestlé".encode("latin-1"))
    monkeypatch.setattr(catalogue_source, "MAX_BYTES", 1000)
    (desk.folder / "large.csv").write_text("x" * 1001)
    code, out, err = desk.run(*argv)
    assert (code, out) == (2, "")
    assert message in err
    assert "secret" not in err
    assert not desk.database.exists()


def test_D02_help_is_exit_code_0_and_the_program_knows_the_verb(desk: Desk) -> None:
    code, out, _ = desk.run("import", "--help")
    assert code == 0
    assert "--replace" in out
    assert program.main(["instruments", "show", "NOPE"]) == 1


def test_D02_reading_commands_make_no_store(desk: Desk) -> None:
    assert desk.run("list")[0] == desk.run("show", "AAPL")[0] == desk.run("export")[0] == 0
    assert desk.run("import", desk.write("same.yaml", *SHIPPED))[0] == 0
    assert not desk.database.exists()


def test_D02_list_searches_and_filters(desk: Desk) -> None:
    desk.run("import", desk.write("new.csv", ABC))
    code, out, err = desk.run("list")
    lines = out.splitlines()
    assert (code, err) == (0, "")
    assert " ".join(lines[0].split()) == "name exchange type session timezone calendar tick source description"
    assert [line.split()[0] for line in lines[1:]] == sorted(["ABC", *(one.name for one in SHIPPED)])
    assert [one["name"] for one in json.loads(desk.run("list", "--exchange", "nyse", "--json")[1])] == ["ABC"]
    assert [one["name"] for one in json.loads(desk.run("list", "apple", "--type", "stock", "--json")[1])] == ["AAPL"]
    assert len(json.loads(desk.run("list", "--limit", "2", "--json")[1])) == 2
    assert desk.run("list", "zzzzzz") == (0, "nothing found\n", "")


def test_D02_show_tells_all_facts_and_where_they_are_from(desk: Desk) -> None:
    shown = json.loads(desk.run("show", "cme:es", "--json")[1])
    assert (shown["tick"], shown["quantity_step"], shown["calendar"], shown["source"]) == (
        "0.25",
        "1",
        "CMES",
        "shipped",
    )
    assert "pricescale        100\n" in desk.run("show", "ES")[1]
    code, out, err = desk.run("show", "APPL")
    assert (code, out, err) == (1, "", "APPL: unknown symbol (did you mean AAPL?)\n")
    assert json.loads(desk.run("show", "NYSE:AAPL", "--json")[1])["ok"] is False


def test_D02_show_prints_small_ticks_as_decimals(desk: Desk) -> None:
    desk.run("import", desk.write("new.yaml", replace(ABC, pricescale=10**12, volume_precision=18)))
    shown = json.loads(desk.run("show", "ABC", "--json")[1])
    assert (shown["tick"], shown["quantity_step"]) == ("0.000000000001", "0.000000000000000001")


def test_D02_imported_instrument_is_known_and_importing_twice_changes_nothing(desk: Desk) -> None:
    file = desk.write("new.yaml", ABC)
    assert desk.run("import", file) == (0, f"imported {file}\n  1 new, 0 updated, 0 unchanged\n", "")
    before = desk.database.read_bytes()
    assert desk.run("import", file) == (0, f"imported {file}\n  0 new, 0 updated, 1 unchanged\n", "")
    assert desk.database.read_bytes() == before
    assert desk.exported() == sorted([*SHIPPED, ABC], key=lambda one: one.name)
    assert json.loads(desk.run("show", "abc", "--json")[1])["source"] == "stored"


def test_D02_other_facts_of_a_known_symbol_are_refused_by_field_unless_replaced(desk: Desk) -> None:
    aapl = next(one for one in SHIPPED if one.name == "AAPL")
    changed = replace(aapl, session="0400-2000", minmov=5)
    file = desk.write("changed.yaml", ABC, changed)
    code, out, err = desk.run("import", file)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"{file}:11:1: AAPL.session: is known as '0930-1600', not '0400-2000'; --replace changes it",
        f"{file}:11:1: AAPL.minmov: is known as 1, not 5; --replace changes it",
        "refused: 2 problems; nothing was written",
    ]
    assert desk.exported() == SHIPPED
    assert desk.run("import", file, "--replace")[1].endswith("1 new, 1 updated, 0 unchanged\n")
    assert {ABC, changed} <= set(desk.exported())
    assert json.loads(desk.run("show", "AAPL", "--json")[1])["source"] == "stored"
    assert desk.run("import", desk.write("shipped.yaml", *SHIPPED), "--replace")[1].endswith(
        f"0 new, 1 updated, {len(SHIPPED) - 1} unchanged\n"
    )
    assert json.loads(desk.run("show", "AAPL", "--json")[1])["source"] == "shipped"


def test_D02_bad_file_is_refused_with_all_its_problems_and_nothing_is_written(desk: Desk) -> None:
    good = write_catalogue([ABC], "csv")
    rows = [ABC.name, good.splitlines()[1].replace("ABC", "DEF").replace("XNYS", "XNYZ")]
    file = desk.folder / "bad.csv"
    file.write_text(good + "\n".join(rows) + "\n")
    code, out, err = desk.run("import", str(file), "--replace")
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == f"{file}:3: 1 cells under 10 columns"
    assert err.splitlines()[1].startswith(f"{file}:4: DEF.calendar: unknown calendar 'XNYZ'")
    assert err.splitlines()[2:] == ["refused: 2 problems; nothing was written"]
    assert not desk.database.exists()
    report = json.loads(desk.run("import", str(file), "--json")[1])
    assert (report["ok"], report["status"], report["problem_count"]) == (False, "refused", 2)
    assert report["problems"][1] == {
        "line": 4,
        "column": None,
        "instrument": "DEF",
        "field": "calendar",
        "message": report["problems"][1]["message"],
    }


@pytest.mark.parametrize(
    ("name", "content"),
    [("none.yaml", ""), ("none.yaml", "# nothing yet\n"), ("none.yaml", "{}\n"), ("none.csv", None)],
)
def test_D02_a_file_without_instruments_is_refused(desk: Desk, name: str, content: str | None) -> None:
    file = desk.write(name)
    if content is not None:
        Path(file).write_text(content, encoding="utf-8")
    code, out, err = desk.run("import", file)
    assert (code, out) == (1, "")
    assert err == f"{file}: there are no instruments in it\nrefused: 1 problem; nothing was written\n"
    assert not desk.database.exists()


def test_D02_many_problems_are_shown_in_part(desk: Desk) -> None:
    (desk.folder / "bad.csv").write_text(write_catalogue([], "csv") + "A\n" * 50)
    lines = desk.run("import", "bad.csv")[2].splitlines()
    assert lines[20:] == ["and 30 more", "refused: 50 problems; nothing was written"]


def test_D02_dry_run_writes_nothing(desk: Desk) -> None:
    file = desk.write("new.yaml", ABC)
    assert desk.run("import", file, "--dry-run")[1] == (
        f"dry run, nothing written: would import {file}\n  1 new, 0 updated, 0 unchanged\n"
    )
    report = json.loads(desk.run("import", file, "--dry-run", "--json")[1])
    assert (report["status"], report["new"], report["updated"], report["unchanged"]) == ("dry_run", ["ABC"], [], 0)
    assert not desk.database.exists()


@pytest.mark.parametrize("form", ["yaml", "csv"])
def test_D02_what_is_exported_edited_and_imported_comes_back(desk: Desk, form: str) -> None:
    desk.run("import", desk.write("new.csv", ABC))
    file = desk.folder / f"all.{form}"
    assert desk.run("export", str(file))[1] == f"exported {len(SHIPPED) + 1} instruments to {file}\n"
    file.write_text(file.read_text().replace("Abc Ltd.", "Größe “quoted”"))
    assert desk.run("import", str(file), "--replace")[0] == 0
    assert replace(ABC, description="Größe “quoted”") in desk.exported()
    again = desk.folder / f"again.{form}"
    assert json.loads(desk.run("export", str(again), "--json")[1])["instruments"] == len(SHIPPED) + 1
    assert again.read_bytes() == file.read_bytes()


def test_D02_standard_input_is_a_file(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    class Standard(io.TextIOWrapper):
        pass

    monkeypatch.setattr("sys.stdin", Standard(io.BytesIO(write_catalogue([ABC], "csv").encode("utf-8-sig"))))
    assert desk.run("import", "-", "--format", "csv")[0] == 0
    assert ABC in desk.exported()


def test_D02_store_that_cannot_be_used_is_exit_code_1(desk: Desk) -> None:
    desk.database.parent.mkdir()
    desk.database.write_bytes(b"no database at all" * 100)
    code, out, err = desk.run("list")
    assert (code, out) == (1, "")
    assert f"{desk.database}: " in err
    assert "nothing was written" not in err, "listing writes nothing anyway"
    code, out, _ = desk.run("import", desk.write("new.yaml", ABC), "--json")
    assert (code, json.loads(out)["status"]) == (1, "failed")
    assert json.loads(out)["error"].endswith("; nothing was written")
