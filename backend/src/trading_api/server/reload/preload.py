"""The third-party code that the parent imports once, so that no generation spends time on it."""

import contextlib
import importlib
import sys

from trading_api.shared.registry import ROOT_PACKAGE

# Everything here is a library: nothing of ours, which must be read anew by each generation.
PRELOAD = (
    "fastapi",
    "fastapi.openapi.docs",
    "fastapi.middleware.asyncexitstack",
    "pydantic.dataclasses",
    "pydantic.json_schema",
    "pydantic.v1",
    "starlette.middleware.exceptions",
    "starlette.websockets",
    "uvicorn",
    "uvicorn.lifespan.off",
    "uvicorn.loops.auto",
    "uvicorn.loops.uvloop",
    "uvicorn.middleware.proxy_headers",
    "uvicorn.protocols.http.httptools_impl",
    "uvicorn.protocols.websockets.websockets_sansio_impl",
    "uvloop",
    "yaml",
    "sqlite3",
    "zoneinfo",
)


def preload() -> None:
    """Import the libraries. One that is not installed is left out: whoever needs it will say so better."""
    for name in PRELOAD:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def forget_own_modules() -> None:
    """Drop this package from the loaded modules, so that the next import reads its source again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == ROOT_PACKAGE]:
        del sys.modules[name]
    importlib.invalidate_caches()
