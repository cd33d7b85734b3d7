"""A package of small modules for the generator to work on, in a temporary folder."""

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from support.backend_modules import GOOD, GOOD_WS, importable, write_module

from trading_api.codegen.full_run import run
from trading_api.codegen.order import Order
from trading_api.codegen.outcome import Outcome
from trading_api.codegen.site import Site, site_of

API = """
    from pydantic import BaseModel

    from trading_api.shared.api import APIRouterInterface

    class Item(BaseModel):
        price: float

    class ItemApi(APIRouterInterface):
        def register(self):
            self.get("/item", operation_id="getItem")(self.item)

        async def item(self) -> Item:
            return Item(price=1)
    """
ITEMS = {**GOOD, "api/v1.py": API}


class Package:
    """The package `name` in `folder`, with `core`; every run sees its source as it is then."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        write_module(folder / "modules", "core")

    @property
    def site(self) -> Site:
        return site_of(self.folder, self.folder.name)

    def add(self, name: str, files: Mapping[str, str] = ITEMS) -> Path:
        return write_module(self.folder / "modules", name, files)

    def add_with_websockets(self, name: str) -> Path:
        return write_module(self.folder / "modules", name, GOOD_WS)

    def path(self, name: str) -> Path:
        return self.folder / name

    def edit(self, name: str, old: str, new: str) -> None:
        text = self.path(name).read_text(encoding="utf-8")
        assert old in text
        self.path(name).write_text(text.replace(old, new), encoding="utf-8")

    def generate(self, *modules: str, check: bool = False, quick: bool = True, **more: object) -> Outcome:
        """One run, with nothing imported before. Quick ones leave the clients out, which take most of the time."""
        self._forget()
        order = Order(modules=modules, check=check, quick=quick, **more)  # type: ignore[arg-type]
        return run(self.site, order, say=lambda _text: None)

    def states(self, outcome: Outcome) -> dict[str, str]:
        """What became of which file, by its path in the package."""
        return {str(file.path.relative_to(self.folder)): file.state for file in outcome.files}

    def files(self) -> dict[str, tuple[int, bytes]]:
        """Every file with its inode and content, but for bytecode and the stamp beside it."""
        found = (path for path in self.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.folder)): (path.stat().st_ino, path.read_bytes()) for path in found}

    def _forget(self) -> None:
        for name in [name for name in sys.modules if name.partition(".")[0] == self.folder.name]:
            del sys.modules[name]
        importlib.invalidate_caches()


@contextmanager
def package_in(folder: Path) -> Iterator[Package]:
    """A package that can be imported inside. Without bytecode: an edit within a second could go unnoticed."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        with importable(folder):
            yield Package(folder)
    finally:
        sys.dont_write_bytecode = before
