"""Lists of instruments in files, and the one that is shipped (`catalogue.yaml`); checked whenever they are loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from importlib import resources

from trading_api.modules.datafeed.instruments.catalogue_csv import read_csv, write_csv
from trading_api.modules.datafeed.instruments.catalogue_entry import (
    SYMBOL_TYPES,
    Entry,
    Place,
    Problem,
    check_calendar,
    check_timezone,
    instrument_of,
)
from trading_api.modules.datafeed.instruments.catalogue_yaml import read_yaml, write_yaml
from trading_api.modules.datafeed.instruments.instrument import Instrument

__all__ = [
    "SYMBOL_TYPES",
    "Catalogue",
    "CatalogueError",
    "check_calendar",
    "check_timezone",
    "load_catalogue",
    "parse_catalogue",
    "read_catalogue",
    "write_catalogue",
]

MAX_INSTRUMENTS = 200_000
MAX_PROBLEMS = 1000
"""Problems that are kept; beyond them they are counted only."""
_READERS: dict[str, Callable[[str], Iterator[Entry | Problem]]] = {"yaml": read_yaml, "csv": read_csv}
_WRITERS: dict[str, Callable[[Iterable[Instrument]], str]] = {"yaml": write_yaml, "csv": write_csv}
FORMATS = tuple(_READERS)


class CatalogueError(ValueError):
    """The catalogue cannot be used; the message names file, line, symbol and field of every problem."""


@dataclass(slots=True)
class Catalogue:
    """What stands in a file, in its order, and what is wrong with it; then the instruments are not all there."""

    instruments: list[Instrument] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    """Name → where its entry begins."""
    problems: list[Problem] = field(default_factory=list)
    problem_count: int = 0

    def complain(self, problem: Problem) -> None:
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS:
            self.problems.append(problem)

    def add(self, entry: Entry) -> None:
        """Takes an entry over, or what is wrong with it."""
        name, place = entry.name
        first = self.places.setdefault(name, place)
        if first is not place:
            self.complain(Problem(f"is given twice; first on line {first.line}", place, name))
            return
        made = instrument_of(entry)
        if isinstance(made, Instrument):
            self.instruments.append(made)
            return
        for problem in made:
            self.complain(problem)


def load_catalogue() -> tuple[Instrument, ...]:
    """The shipped instruments. Raises CatalogueError when the file has been broken."""
    source = resources.files("trading_api.modules.datafeed.instruments").joinpath("catalogue.yaml")
    return parse_catalogue(source.read_text(encoding="utf-8"), name="catalogue.yaml")


def parse_catalogue(text: str, *, name: str) -> tuple[Instrument, ...]:
    """Read a YAML catalogue, in its own order; `name` stands in the errors. Raises CatalogueError with all problems."""
    catalogue = read_catalogue(text, "yaml")
    if catalogue.problems:
        raise CatalogueError("\n".join(map(partial(located, name), catalogue.problems)))
    return tuple(catalogue.instruments)


def read_catalogue(text: str, form: str) -> Catalogue:
    """Read all of a catalogue in one of FORMATS, at most MAX_INSTRUMENTS."""
    catalogue = Catalogue()
    for found in _READERS[form](text):
        if isinstance(found, Problem):
            catalogue.complain(found)
            continue
        if len(catalogue.places) == MAX_INSTRUMENTS:
            catalogue.complain(Problem(f"more than {MAX_INSTRUMENTS} instruments; divide the file", found.name.place))
            break
        catalogue.add(found)
    return catalogue


def write_catalogue(instruments: Iterable[Instrument], form: str) -> str:
    """A catalogue in one of FORMATS; `read_catalogue` reads the same instruments from it."""
    return _WRITERS[form](instruments)


def located(name: str, problem: Problem) -> str:
    """`FILE:LINE:COLUMN: ENTRY.FIELD: what`, as far as these are known."""
    place = problem.place
    where = [name] if place is None else [name, *(str(number) for number in place if number)]
    return f"{':'.join(where)}: {problem}"
