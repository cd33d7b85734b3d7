"""Catalogues in CSV: a header with the names of the fields, then a row for each instrument."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple

from trading_api.modules.datafeed.instruments.catalogue_entry import (
    FIELDS,
    OPTIONAL,
    Entry,
    Place,
    Problem,
    Written,
    shorten,
)
from trading_api.modules.datafeed.instruments.instrument import Instrument

_DELIMITERS = ",;\t"


def read_csv(text: str) -> Iterator[Entry | Problem]:
    """Entries in the order of the file. The columns may come in any order, separated by comma, semicolon or tab."""
    header, _, _ = text.partition("\n")
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(_DELIMITERS, key=header.count), strict=True)
    try:
        columns = [name.strip().lower() for name in next(rows, [])]
        problems = list(_header_problems(columns))
        if problems:
            yield from problems
            return
        # A row begins on the line after the one before it; a quoted cell may hold line breaks.
        line = rows.line_num + 1
        for row in rows:
            yield from _read_row(columns, row, Place(line))
            line = rows.line_num + 1
    except csv.Error as error:
        yield Problem(f"not valid CSV: {error}", Place(rows.line_num))


def write_csv(instruments: Iterable[Instrument]) -> str:
    """A catalogue that `read_csv` reads as the same instruments."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(FIELDS)
    writer.writerows(map(astuple, instruments))
    return text.getvalue()


def _header_problems(columns: Sequence[str]) -> Iterator[Problem]:
    missing = [field for field in FIELDS if field not in columns and field not in OPTIONAL]
    unknown = [shorten(column) for column in columns if column not in FIELDS]
    twice = [column for column, count in Counter(columns).items() if count > 1 and column in FIELDS]
    for names, what in ((missing, "lacks"), (unknown, "has unknown columns:"), (twice, "has twice:")):
        if names:
            yield Problem(f"the header {what} {', '.join(names)}; known are {', '.join(FIELDS)}", Place(1))


def _read_row(columns: Sequence[str], row: Sequence[str], place: Place) -> Iterator[Entry | Problem]:
    if not any(cell.strip() for cell in row):
        return
    if len(row) != len(columns):
        yield Problem(f"{len(row)} cells under {len(columns)} columns", place)
        return
    cells = {column: Written(cell.strip(), place) for column, cell in zip(columns, row, strict=True)}
    name = cells.pop("name")
    yield Entry(name, cells)
