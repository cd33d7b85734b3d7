"""Writes module folders for tests of the module system."""

import subprocess
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
# A module with WebSockets: a topic says the word that it was asked for, once.
WS_INIT = """
    from trading_api.shared.module import Module
    from trading_api.shared.service import Service

    class EchoService(Service):
        async def create_topic(self, topic):
            topic.publish(topic.request)

        async def remove_topic(self, topic):
            pass

    class ExampleModule(Module[EchoService]):
        \"\"\"An example with WebSockets.\"\"\"

        def create_service(self, settings):
            return EchoService()
    """
WS = """
    from typing import TypeAlias

    from pydantic import BaseModel

    from trading_api.shared.ws import WsRouter

    class Echo(BaseModel):
        word: str

    EchoWsRouter: TypeAlias = WsRouter[Echo, Echo]
    """
GOOD = {"__init__.py": INIT, "api/v1.py": API}
GOOD_WS = {"__init__.py": WS_INIT, "api/v1.py": API, "ws/v1/__init__.py": WS}


def write_module(modules: Path, name: str, files: Mapping[str, str] = GOOD) -> Path:
    """Write the folder `modules/name` with `files` (path in the folder → dedented source); returns it."""
    folder = modules / name
    folder.mkdir(parents=True)
    for path, source in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source), encoding="utf-8")
    return folder


def generate_routers(package: Path, module: str, **environ: str) -> None:
    """Generate the WebSocket routers of a module of the backend in the folder `package` (`…/trading_api`)."""
    program = "from trading_api.shared.ws.module_router_generator import generate_module_routers as generate\n"
    done = subprocess.run(
        [sys.executable, "-P", "-c", f"{program}generate({module!r})"],
        env={"PYTHONPATH": str(package.parent), "PATH": "/usr/bin:/bin", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


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
