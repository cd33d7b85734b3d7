"""Writes import statements in the order that ruff's isort rules want."""

import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator

from trading_api.shared.ws.generation.bindings import Import

LINE_LENGTH = 120
NaturalKey = tuple[tuple[bool, int, str], ...]


def natural(text: str) -> NaturalKey:
    """A key that sorts numbers in a text by their value: `a2` before `a10`."""
    return tuple((part.isdigit(), int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", text))


def import_lines(imports: Iterable[Import], first_party: str) -> str:
    """The statements for `imports`: the standard library, then others, then the package `first_party`."""
    sections: dict[int, set[Import]] = defaultdict(set)
    for found in imports:
        sections[_section(found.module, first_party)].add(found)
    return "\n\n".join("\n".join(_section_lines(sections[number])) for number in sorted(sections))


def _section(module: str, first_party: str) -> int:
    top = module.partition(".")[0]
    if top == "__future__":
        return 0
    return 1 if top in sys.stdlib_module_names else 3 if top == first_party else 2


def _section_lines(imports: set[Import]) -> Iterator[str]:
    yield from sorted((_whole(found) for found in imports if found.name is None), key=lambda line: natural(line))
    groups: dict[tuple[str, str], list[Import]] = defaultdict(list)
    for found in imports:
        if found.name is not None:
            # Ruff keeps every `as` in a statement of its own.
            groups[found.module, "" if found.name == found.bound else f"{found.name} {found.bound}"].append(found)
    for (module, _), group in sorted(groups.items(), key=lambda item: (natural(item[0][0].lower()), item[0][1])):
        yield _from(module, sorted(group, key=_name_key))


def _whole(found: Import) -> str:
    return f"import {found.module}" if found.is_plain else f"import {found.module} as {found.bound}"


def _from(module: str, group: list[Import]) -> str:
    names = [_named(found) for found in group]
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= LINE_LENGTH:
        return line
    return "\n".join((f"from {module} import (", *(f"    {name}," for name in names), ")"))


def _named(found: Import) -> str:
    return str(found.name) if found.name == found.bound else f"{found.name} as {found.bound}"


def _name_key(found: Import) -> tuple[int, NaturalKey]:
    """Constants, classes, then the rest, as ruff's `order-by-type` has it."""
    name = str(found.name)
    kind = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return kind, natural(name.lower())
