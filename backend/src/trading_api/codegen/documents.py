"""The contracts of modules as parsed documents: those the code has now, and those that were committed."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trading_api.codegen.differ.document import Node
from trading_api.codegen.site import SPECS, Site


@dataclass(frozen=True, slots=True, order=True)
class SpecName:
    """Which document: a version of a module, and `openapi` or `asyncapi`."""

    module: str
    version: str
    kind: str

    @property
    def file(self) -> str:
        return f"{self.module}_{self.version}_{self.kind}.json"


Documents = Mapping[SpecName, Node]


def spec_name(file: str) -> SpecName | None:
    """`order_book_v1_openapi.json` taken apart; None for a name that is none."""
    stem, dot, end = file.rpartition(".")
    parts = stem.rsplit("_", 2)
    return SpecName(*parts) if dot and end == "json" and len(parts) == 3 else None


def committed_documents(site: Site) -> dict[SpecName, Node]:
    """What stands on disk, of former modules too. A file that cannot be read counts as missing."""
    found = {}
    for folder in site.module_folders():
        for path in sorted((folder / SPECS).glob("*.json")):
            name, document = spec_name(path.name), parsed(path)
            if name is not None and document is not None:
                found[name] = document
    return found


def parsed(path: Path) -> Node | None:
    """The JSON object in a file."""
    try:
        return parse(path.read_bytes())
    except OSError:
        return None


def parse(content: bytes) -> Node | None:
    """The JSON object in `content`; None if it is none."""
    try:
        document = json.loads(content)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def of_modules(documents: Documents, modules: frozenset[str]) -> Iterator[tuple[SpecName, Node]]:
    """Those of the named modules, in order; of all, if none is named."""
    return ((name, documents[name]) for name in sorted(documents) if not modules or name.module in modules)
