"""Sorts the imports of generated Python as ruff would, without starting ruff."""

import sys
from collections.abc import Mapping

_FUTURE, _STANDARD, _INSTALLED, _OWN, _RELATIVE = range(5)
_OWN_PACKAGE = "trading_api"


def sorted_imports(code: str, renamed: Mapping[str, str]) -> str:
    """`code` with its leading `from … import …` lines sorted in sections, and some packages renamed.

    Everything before the first import is left out: it is the header of another generator.
    """
    lines = code.splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("from "))
    end = first
    found: list[tuple[int, str, str]] = []
    while lines[end].startswith("from ") or not lines[end].strip():
        if lines[end].strip():
            found.append(_import(lines[end], renamed))
        end += 1
    sections = [[text for section, _, text in sorted(found) if section == wanted] for wanted in range(5)]
    head = "\n\n".join("\n".join(section) for section in sections if section)
    return "\n".join([head, "", "", *lines[end:], ""])


def _import(line: str, renamed: Mapping[str, str]) -> tuple[int, str, str]:
    """Section, package and text of one import."""
    package, names = line.removeprefix("from ").split(" import ", 1)
    package = renamed.get(package, package)
    return _section(package), package, f"from {package} import {names}"


def _section(package: str) -> int:
    top = package.partition(".")[0]
    if not top:
        return _RELATIVE
    if top == "__future__":
        return _FUTURE
    if top in sys.stdlib_module_names:
        return _STANDARD
    return _OWN if top == _OWN_PACKAGE else _INSTALLED
