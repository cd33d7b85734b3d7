"""A backend with one more module, `probe`, whose start, requests and end do what a test needs.

Its switches are environment variables, for `servers.NAME.env`: PROBE_BROKEN (raises at import), PROBE_HANGS (never
starts), PROBE_FAILS (raises so many seconds after its start began), PROBE_DEAF (ignores SIGTERM). Its shutdown
hook writes the time, in seconds (Unix time), to `probe-stopped` in the project's folder.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

from support.backend_modules import generate_routers, write_module
from support.project import PATIENT, Project

_INIT = """
    import os

    from trading_api.modules.probe.service import ProbeService
    from trading_api.shared.module import Module

    if os.environ.get("PROBE_BROKEN"):
        raise RuntimeError("probe is broken on purpose")

    class ProbeModule(Module[ProbeService]):
        \"\"\"What tests need.\"\"\"

        def create_service(self, settings):
            return ProbeService()
    """
_SERVICE = """
    import asyncio
    import os
    import signal
    import time
    from pathlib import Path

    from trading_api.shared.service import Service

    class ProbeService(Service):
        async def startup(self):
            if os.environ.get("PROBE_HANGS"):
                await asyncio.Event().wait()
            if os.environ.get("PROBE_FAILS"):
                await asyncio.sleep(float(os.environ["PROBE_FAILS"]))
                raise RuntimeError("probe failed late on purpose")
            if os.environ.get("PROBE_DEAF"):
                signal.signal(signal.SIGTERM, signal.SIG_IGN)

        async def create_topic(self, topic):
            topic.publish(topic.request)

        async def remove_topic(self, topic):
            pass

        async def shutdown(self):
            Path("probe-stopped").write_text(str(time.time()))
    """
_API = """
    import asyncio
    import logging

    from fastapi.responses import StreamingResponse
    from pydantic import BaseModel

    from trading_api.shared.api import APIRouterInterface

    logger = logging.getLogger("probe")

    class Done(BaseModel):
        done: bool

    class ProbeApi(APIRouterInterface):
        def register(self):
            self.get("/slow")(self.slow)
            self.get("/lines")(self.lines)
            self.get("/endless", response_model=None, response_class=StreamingResponse)(self.endless)

        async def slow(self, seconds: float) -> Done:
            logger.info("slow begins")
            await asyncio.sleep(seconds)
            return Done(done=True)

        async def lines(self, first: int, count: int) -> Done:
            for number in range(first, first + count):
                logger.info("line %06d %s", number, "x" * 200)
            return Done(done=True)

        async def endless(self):
            return StreamingResponse(self.ticks(), media_type="text/plain")

        async def ticks(self):
            while True:
                yield b"tick\\n"
                await asyncio.sleep(0.05)
    """
_WS = """
    from typing import TypeAlias

    from pydantic import BaseModel

    from trading_api.shared.ws import WsRouter

    class Probe(BaseModel):
        word: str

    ProbesWsRouter: TypeAlias = WsRouter[Probe, Probe]
    """
_FILES = {"__init__.py": _INIT, "service.py": _SERVICE, "api/v1.py": _API, "ws/v1/__init__.py": _WS}


def add_probe(package: Path) -> None:
    """Give the backend in the folder `package` (`…/trading_api`) the module, and a manifest that knows it."""
    write_module(package / "modules", "probe", _FILES)
    generate_routers(package, "probe")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "trading_api", "generate"],
        env={"PYTHONPATH": str(package.parent), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def probe_config(project: Project, *, env: dict[str, str] | None = None, **top: object) -> dict[str, Any]:
    """The configuration of `probed`; `env` are switches of the module, `top` more keys of the file."""
    servers = {
        "probe": {"port": project.port + 1, "modules": ["probe"], "env": env or {}},
        "core": {"port": project.port + 7},
    }
    return {"nginx": {"port": project.port}, "servers": servers, "health": dict(PATIENT), **top}
