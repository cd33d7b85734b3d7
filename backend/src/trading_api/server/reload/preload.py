"""The third-party code that the parent imports once, so that no generation spends time on it."""

import contextlib
import importlib
import json
import sys
from collections.abc import Collection

from trading_api.shared.registry import PACKAGE_FOLDER, ROOT_PACKAGE

# Everything here is a library: nothing of ours, which must be read anew by each generation.
PRELOAD = (
    "fastapi",
    "fastapi.openapi.docs",
    "fastapi.middleware.asyncexitstack",
    "pydantic.dataclasses",
    "pydantic.json_schema",
    "pydantic.v1",
    "starlette.middleware.cors",
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
# 25 MiB, so only for servers with a module of this trait.
STORE = ("sqlalchemy", "sqlalchemy.dialects.sqlite")
_USES_STORE = "uses-store"


def preload(modules: Collection[str] | None) -> None:
    """Import the libraries of these modules (None: of all).

    One that is not installed is left out: who needs it will say so better.
    """
    for name in (*PRELOAD, *(STORE if _use_store(modules) else ())):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _use_store(modules: Collection[str] | None) -> bool:
    """Whether the manifest says so of one of them; what cannot be read says nothing."""
    try:
        manifest = json.loads((PACKAGE_FOLDER / "manifest.json").read_text(encoding="utf-8"))
        known = manifest["modules"]
        return any(_USES_STORE in known[name]["traits"] for name in (known if modules is None else modules))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def forget_own_modules() -> None:
    """Drop this package from the loaded modules, so that the next import reads its source again."""
    for name in [name for name in sys.modules if name.partition(".")[0] == ROOT_PACKAGE]:
        del sys.modules[name]
    importlib.invalidate_caches()
