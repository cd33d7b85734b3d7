"""A catalogue on its way into the store: all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from trading_api.modules.datafeed.bars.rollups import rebuild
from trading_api.modules.datafeed.instruments.catalogue import Catalogue
from trading_api.modules.datafeed.instruments.catalogue_entry import FIELDS, Problem
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.instrument_store import stored_instruments, write_instruments
from trading_api.modules.datafeed.tables import series
from trading_api.shared.store.engine import hold_lock, reading, writing

_LOCK = "instruments"

Told = Callable[[Instrument], None]


@dataclass(frozen=True, slots=True)
class InstrumentChanges:
    """What importing a catalogue does, or would do."""

    new: tuple[Instrument, ...]
    changed: tuple[Instrument, ...]
    unchanged: int
    rebuilt: tuple[Instrument, ...]
    """Those of them whose coarser bars are computed anew: there are bars, and the trading hours changed."""


def import_instruments(
    engine: Engine,
    shipped: Iterable[Instrument],
    catalogue: Catalogue,
    *,
    replace: bool = False,
    dry_run: bool = False,
    rebuilding: Told = lambda _: None,
) -> InstrumentChanges:
    """Write what is new and, with `replace`, what differs from what is known; one transaction, or none if that is all.

    What speaks against it joins the catalogue's problems, and then nothing is written. `rebuilding` is told of each
    symbol whose bars are about to be computed anew. Raises StoreError.
    """
    known = {instrument.name: instrument for instrument in shipped}
    with reading(engine) as connection:
        found = _compare(connection, known, catalogue)
    if not replace:
        _refuse(catalogue, found)
    if dry_run or catalogue.problem_count or not (found.changes.new or found.changes.changed):
        return found.changes
    with writing(engine) as connection:
        hold_lock(connection, _LOCK)
        # Somebody may have been first, while the lock was not held.
        found = _compare(connection, known, catalogue)
        if not replace:
            _refuse(catalogue, found)
        if not catalogue.problem_count:
            _write(connection, found.changes, rebuilding)
    return found.changes


@dataclass(frozen=True, slots=True)
class _Comparison:
    known: Mapping[str, Instrument]
    changes: InstrumentChanges


def _compare(connection: Connection | None, shipped: Mapping[str, Instrument], catalogue: Catalogue) -> _Comparison:
    stored = [] if connection is None else stored_instruments(connection)
    known = {**shipped, **{instrument.name: instrument for instrument in stored}}
    new = tuple(given for given in catalogue.instruments if given.name not in known)
    changed = tuple(given for given in catalogue.instruments if known.get(given.name, given) != given)
    with_bars = set[str]() if connection is None else set(connection.execute(select(series.c.symbol)).scalars())
    moved = (given for given in (*new, *changed) if given.name in with_bars and _moved(known.get(given.name), given))
    unchanged = len(catalogue.instruments) - len(new) - len(changed)
    return _Comparison(known, InstrumentChanges(new, changed, unchanged, tuple(moved)))


def _moved(known: Instrument | None, given: Instrument) -> bool:
    """Whether the trading hours are other ones."""
    return known is None or _hours(known) != _hours(given)


def _hours(instrument: Instrument) -> tuple[str, str, str]:
    return instrument.session, instrument.timezone, instrument.calendar


def _write(connection: Connection, changes: InstrumentChanges, rebuilding: Told) -> None:
    write_instruments(connection, [*changes.new, *changes.changed])
    for instrument in changes.rebuilt:
        rebuilding(instrument)
        rebuild(connection, instrument)


def _refuse(catalogue: Catalogue, found: _Comparison) -> None:
    for given in found.changes.changed:
        for problem in _differences(catalogue, found.known[given.name], given):
            catalogue.complain(problem)


def _differences(catalogue: Catalogue, known: Instrument, given: Instrument) -> Iterator[Problem]:
    for field in FIELDS:
        before, after = getattr(known, field), getattr(given, field)
        if before != after:
            message = f"is known as {before!r}, not {after!r}; --replace changes it"
            yield Problem(message, catalogue.places[given.name], given.name, field)
