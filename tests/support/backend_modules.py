"""Writes module folders for tests of the module system."""

import sys
import textwrap
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

INIT = """
    from trading_api.shared.module import Module
    from trading_api.shared.service import Service

    class ExampleModule(Module[Service]):
        \"\"\"An example.\"\"\"

        def create_service(self, settings):
            return Service()
    """
API = """
    from trading_api.shared.api import APIRouterInterface

    class ExampleApi(APIRouterInterface):
        def register(self):
            pass
    """
WS = """
    from fastapi import APIRouter, WebSocket

    ROUTES = ("echo",)
    router = APIRouter()

    @router.websocket("")
    async def echo(websocket: WebSocket):
        await websocket.accept()
        async for text in websocket.iter_text():
            await websocket.send_text(text)
    """
GOOD = {"__init__.py": INIT, "api/v1.py": API}


def write_module(modules: Path, name: str, files: Mapping[str, str] = GOOD) -> Path:
    """Write the folder `modules/name` with `files` (path in the folder → dedented source); returns it."""
    folder = modules / name
    folder.mkdir(parents=True)
    for path, source in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source), encoding="utf-8")
    return folder


@contextmanager
def importable(package: Path) -> Iterator[str]:
    """Make the folder `package` importable under its own name; what was imported of it is forgotten afterwards."""
    sys.path.insert(0, str(package.parent))
    try:
        yield package.name
    finally:
        sys.path.remove(str(package.parent))
        for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
            del sys.modules[name]
