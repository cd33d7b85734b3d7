"""What is asked for: a module's name, its first version, and whether it has WebSockets."""

import keyword
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from trading_api.server.reload.scope import SKIPPED_FOLDERS
from trading_api.shared.registry import ROOT_PACKAGE
from trading_api.shared.ws.generation.names import SUFFIX, route_name

MAX_LENGTH = 40
# Stricter than what is served: a word between any two underscores, so that order_book gives OrderBook, and back.
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_VERSION = re.compile(r"v[1-9][0-9]{0,3}")
# `/api/v1/docs` and the like belong to all modules together.
_SHARED_PATHS = frozenset({"docs", "openapi", "ws"})
# Inside a module, `json` is to be what it is everywhere.
_IMPORTED = sys.stdlib_module_names | {ROOT_PACKAGE}
# BrokerV2Client is the client of broker's version 2, BrokerSyncClient the one that blocks.
_CLIENT_SUFFIX = re.compile(r"_(v[0-9]+|sync)")


@dataclass(frozen=True, slots=True)
class NewModule:
    """A module to write. `name` and `version` as in the folders: `order_book`, `v1`."""

    name: str
    version: str = "v1"
    ws: bool = False

    @property
    def stem(self) -> str:
        """What its classes begin with: `OrderBook`."""
        return "".join(word.capitalize() for word in self.name.split("_"))

    @property
    def alias(self) -> str:
        """What its WebSocket route is declared as: `OrderBookNotesWsRouter`."""
        return f"{self.stem}Notes{SUFFIX}"

    @property
    def route(self) -> str:
        """What its WebSocket route is called on the wire: `order-book-notes`."""
        return route_name(self.alias)

    @property
    def number(self) -> str:
        """The version without its letter."""
        return self.version[1:]


def problems(module: NewModule, existing: Iterable[str]) -> tuple[str, ...]:
    """Everything that is wrong with the request, a sentence each. `existing` are the names of the modules there are."""
    if not module.name:
        return ("a name is missing: make new-module name=order_book",)
    return (*_name_problems(module.name), *_likeness(module.name, existing), *_version_problems(module.version))


def _name_problems(name: str) -> Iterator[str]:
    if not _NAME.fullmatch(name):
        yield f"name {name!r}: write words of a-z and 0-9, joined by single underscores, as in order_book"
    if len(name) > MAX_LENGTH:
        yield f"name {name!r}: {len(name)} characters are too many; use at most {MAX_LENGTH}"
    yield from _reserved(name)
    suffix = _CLIENT_SUFFIX.search(name)
    if suffix and suffix.end() == len(name):
        yield f"name {name!r}: {suffix[0]!r} at the end belongs to the generated clients of a module without it"


def _reserved(name: str) -> Iterator[str]:
    if keyword.iskeyword(name):
        yield f"name {name!r}: this is a Python keyword, which cannot be imported"
    if name in _SHARED_PATHS:
        yield f"name {name!r}: this is reserved; all modules together have documents at /api/v1/{name}"
    elif name in SKIPPED_FOLDERS:
        yield f"name {name!r}: this is reserved; watch mode does not look into folders of that name"
    elif name in _IMPORTED:
        yield f"name {name!r}: this is a package that code imports; choose a name of your own"


def _likeness(name: str, existing: Iterable[str]) -> Iterator[str]:
    for other in existing:
        if other != name and _squeezed(other) == _squeezed(name):
            yield f"name {name!r}: too like the module {other!r}; their classes would have the same names"


def _squeezed(name: str) -> str:
    return name.replace("_", "")


def _version_problems(version: str) -> Iterator[str]:
    if not _VERSION.fullmatch(version):
        yield f"version {version!r}: write v1, v2, …"
