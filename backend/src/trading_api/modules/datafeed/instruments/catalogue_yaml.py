"""Catalogues in YAML: name → facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict

import yaml
from yaml.events import (
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from trading_api.modules.datafeed.instruments.catalogue_entry import Entry, Place, Problem, Written, shorten
from trading_api.modules.datafeed.instruments.instrument import Instrument

# The C implementations are ten times as fast; a build of PyYAML may lack them.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


# What a catalogue has no use for is skipped, but the parser takes ever longer the deeper it is.
_MAX_DEPTH = 50


class _TooDeepError(Exception):
    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place


def read_yaml(text: str) -> Iterator[Entry | Problem]:
    """Entries in the order of the file. A value is its text as written: `ON` and `0930` are no other type here.

    It reads event by event, so neither depth nor aliases can make a small file big.
    """
    try:
        yield from _read_stream(yaml.parse(text, Loader=_LOADER))
    except _TooDeepError as error:
        yield Problem("lists and mappings within each other, too many to read on", error.place)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = None if mark is None else Place(mark.line + 1, mark.column + 1)
        yield Problem(f"not valid YAML: {error.problem or error.context}", place)
    except yaml.YAMLError as error:
        # An unusual character; its message spreads over lines.
        yield Problem(f"not valid YAML: {' '.join(str(error).split())}")


def write_yaml(instruments: Iterable[Instrument]) -> str:
    """A catalogue that `read_yaml` reads as the same instruments."""
    facts = {instrument.name: asdict(instrument) for instrument in instruments}
    for entry in facts.values():
        del entry["name"]
    if not facts:
        return "{}\n"
    return yaml.dump(facts, Dumper=_DUMPER, sort_keys=False, allow_unicode=True, width=2**20)


def _read_stream(events: Iterator[Event]) -> Iterator[Entry | Problem]:
    documents = 0
    for event in events:
        if isinstance(event, DocumentStartEvent):
            documents += 1
            if documents > 1:
                yield Problem("only one document is allowed", _place(event))
        elif isinstance(event, MappingStartEvent) and documents == 1:
            yield from _read_entries(events)
        elif isinstance(event, NodeEvent):
            if documents == 1 and not _is_nothing(event):
                yield Problem("a catalogue is a mapping of names to facts", _place(event))
            _skip(event, events)


def _is_nothing(event: NodeEvent) -> bool:
    """A file with comments only has no document; one with `---` only has this."""
    return isinstance(event, ScalarEvent) and event.value == "" and not event.style


def _read_entries(events: Iterator[Event]) -> Iterator[Entry | Problem]:
    for event in events:
        if isinstance(event, MappingEndEvent):
            return
        name = _text(event, events)
        value = next(events)
        if name is None:
            yield Problem("a name must be a plain text", _place(event))
            _skip(value, events)
        elif not isinstance(value, MappingStartEvent):
            yield Problem("must be a mapping of fields", _place(value), shorten(name.text))
            _skip(value, events)
        else:
            yield from _read_facts(name, events)


def _read_facts(name: Written, events: Iterator[Event]) -> Iterator[Entry | Problem]:
    facts: dict[str, Written] = {}
    problems: list[Problem] = []
    for event in events:
        if isinstance(event, MappingEndEvent):
            break
        field = _text(event, events)
        value = next(events)
        written = _text(value, events)
        if field is None or written is None:
            shown = "" if field is None else shorten(field.text)
            problems.append(Problem("must be a plain text or number", _place(value), shorten(name.text), shown))
        elif field.text in facts:
            message = f"is given twice; first on line {facts[field.text].place.line}"
            problems.append(Problem(message, field.place, shorten(name.text), shorten(field.text)))
        else:
            facts[field.text] = written
    if problems:
        yield from problems
    else:
        yield Entry(name, facts)


def _text(event: Event, events: Iterator[Event]) -> Written | None:
    """A scalar's text; None for anything else, which is then skipped."""
    if isinstance(event, ScalarEvent) and event.tag is None:
        return Written(event.value, _place(event))
    _skip(event, events)
    return None


def _skip(event: Event, events: Iterator[Event]) -> None:
    """Move to the end of what `event` begins."""
    depth = 0
    while True:
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            depth += 1
        elif isinstance(event, MappingEndEvent | SequenceEndEvent):
            depth -= 1
        if depth == 0:
            return
        if depth > _MAX_DEPTH:
            raise _TooDeepError(_place(event))
        event = next(events)


def _place(event: Event) -> Place:
    mark = event.start_mark
    assert mark is not None
    return Place(mark.line + 1, mark.column + 1)
