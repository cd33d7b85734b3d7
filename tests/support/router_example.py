"""A package with one module, `shop`, whose WebSocket declarations a test writes."""

import importlib
import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.backend_modules import importable

from trading_api.shared.registry import ModuleFolder, discover
from trading_api.shared.ws import AnyRoute
from trading_api.shared.ws.module_router_generator import DeclarationError, Problem, ensure_routers, routers_current

HEAD = """
    from typing import TypeAlias
    from trading_api.shared.ws import Conflate, Durable, WsRouter
    from router_example.shapes import Data, Request
    """
SHAPES = """
    from typing import TYPE_CHECKING

    from pydantic import BaseModel

    if TYPE_CHECKING:
        from decimal import Decimal as OnlyForCheckers

    class Request(BaseModel):
        symbol: str

    class Data(BaseModel):
        price: float

    class route(BaseModel):
        inner: int

    WsRoute = Disconnect = Data
    """


@dataclass(frozen=True, slots=True)
class Example:
    """The package `router_example` in the folder `path`."""

    path: Path

    @property
    def ws(self) -> Path:
        """The folder of version 1."""
        return self.path / "modules" / "shop" / "ws" / "v1"

    @property
    def generated(self) -> Path:
        """What is generated for version 1."""
        return self.ws / "ws_generated"

    @property
    def modules(self) -> dict[str, ModuleFolder]:
        """What the registry finds."""
        return discover("router_example.modules", self.path / "modules")

    def write(self, path: str, source: str) -> Path:
        """Write a dedented file of the package."""
        file = self.path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source), encoding="utf-8")
        return file

    def declare(self, source: str, *, head: str = HEAD, version: str = "v1") -> Path:
        """Write the declarations of a version."""
        text = textwrap.dedent(head).lstrip("\n") + textwrap.dedent(source)
        return self.write(f"modules/shop/ws/{version}/__init__.py", text)

    def routers(self, source: str, *, head: str = HEAD) -> dict[str, AnyRoute]:
        """The generated routers of these declarations, by route."""
        self.declare(source, head=head)
        return self.load()

    def load(self) -> dict[str, AnyRoute]:
        """Bring the routers up to date and import them anew, by route."""
        forget()
        with routers_current(self.ws, write=True):
            package = importlib.import_module("router_example.modules.shop.ws.v1.ws_generated")
        found: tuple[AnyRoute, ...] = package.ROUTERS
        return {router.route: router for router in found}

    def problems(self, source: str, *, head: str = HEAD) -> tuple[Problem, ...]:
        """What is found wrong with these declarations; nothing may be generated of them."""
        self.declare(source, head=head)
        before = self.files()
        try:
            ensure_routers(self.ws, write=True)
        except DeclarationError as error:
            assert self.files() == before, "nothing is written"
            return error.problems
        return ()

    def files(self) -> Mapping[str, bytes]:
        """The generated files, bytecode apart."""
        entries = self.generated.iterdir() if self.generated.is_dir() else ()
        return {entry.name: entry.read_bytes() for entry in entries if entry.is_file()}


@contextmanager
def example_in(folder: Path) -> Iterator[Example]:
    """Write the package below `folder`; it can be imported inside."""
    example = Example(folder / "router_example")
    for path in ("__init__.py", "modules/__init__.py", "modules/shop/__init__.py"):
        example.write(path, "")
    example.write("shapes.py", SHAPES)
    with importable(example.path):
        yield example


def forget() -> None:
    """Have the package imported anew."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "router_example"]:
        del sys.modules[name]
    importlib.invalidate_caches()


def shape(name: str) -> Any:
    """A class of `router_example.shapes`, as it is imported now."""
    return getattr(importlib.import_module("router_example.shapes"), name)
