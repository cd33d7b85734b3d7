"""A module that tests add to a copy of the package: it can be slow, crash, stream, and tell who serves it."""

from pathlib import Path

from support.backend_modules import WS, generate_routers, write_module

INIT = '''
    import asyncio
    import os
    from pathlib import Path

    from trading_api.shared.module import Module
    from trading_api.shared.service import Service

    HOOKS = Path(os.environ["PROBE_HOOKS"])


    class ProbeService(Service):
        async def startup(self):
            self.note("start")
            if os.environ.get("PROBE_FAIL"):
                raise OSError(os.environ["PROBE_FAIL"])

        async def shutdown(self):
            self.note("stop")
            await asyncio.sleep(float(os.environ.get("PROBE_HANG", "0")))
            self.note("stopped")

        async def create_topic(self, topic):
            topic.publish(topic.request)

        async def remove_topic(self, topic):
            self.note("removed")

        def note(self, what):
            with HOOKS.open("a") as file:
                file.write(f"{what}\\n")


    class ProbeModule(Module[ProbeService]):
        """The probe."""

        def create_service(self, settings):
            return ProbeService()
    '''
API = """
    import asyncio
    import os

    from fastapi.responses import StreamingResponse

    from trading_api.shared.api import APIRouterInterface

    VALUE = 1


    class ProbeApi(APIRouterInterface):
        def register(self):
            self.get("/value")(self.value)
            self.get("/slow")(self.slow)
            self.get("/crash")(self.crash)
            self.get("/stream", response_class=StreamingResponse)(self.stream)

        async def value(self) -> dict[str, int]:
            return {"value": VALUE, "pid": os.getpid()}

        async def slow(self, seconds: float) -> str:
            self.module.service.note("slow")
            await asyncio.sleep(seconds)
            return "done"

        async def crash(self) -> str:
            raise RuntimeError("the probe crashed")

        async def stream(self):
            async def endless():
                while True:
                    yield b"tick\\n"
                    await asyncio.sleep(0.02)

            return StreamingResponse(endless())
    """


def add_probe(package: Path) -> Path:
    """Add the module `probe` to a copied package; returns its folder."""
    files = {"__init__.py": INIT, "api/v1.py": API, "ws/v1/__init__.py": WS}
    folder = write_module(package / "modules", "probe", files)
    generate_routers(package, "probe", PROBE_HOOKS=str(hooks_file(package)))
    return folder


def hooks_file(package: Path) -> Path:
    """Where the probe's hooks write what ran: start, slow, stop, stopped."""
    return package.parent / "hooks.txt"


def hooks_run(package: Path) -> list[str]:
    """The hooks that ran so far."""
    file = hooks_file(package)
    return file.read_text().split() if file.exists() else []


def probe_environment(package: Path, **more: str) -> dict[str, str]:
    """The environment of a server that holds the probe."""
    return {"ENABLED_MODULES": "probe", "PROBE_HOOKS": str(hooks_file(package)), **more}
