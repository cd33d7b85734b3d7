"""The files that pages load: ours, and Swagger UI's out of the installed package, of which only files are used."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

_SWAGGER = ("fastapi_swagger", "resources")
_MEDIA_TYPES = {"js": "text/javascript", "css": "text/css", "png": "image/png"}
_PLACES = {
    "swagger-ui-bundle.js": _SWAGGER,
    "swagger-ui.css": _SWAGGER,
    "favicon-32x32.png": _SWAGGER,
    "swagger-init.js": (__package__, "static"),
    "docs.css": (__package__, "static"),
}
ASSETS = tuple(_PLACES)


def read_asset(name: str) -> bytes:
    """The content of an asset. Raises KeyError for a name that is none, OSError when the file cannot be read."""
    return _file(name).read_bytes()


def media_type(name: str) -> str:
    """The Content-Type of an asset."""
    return _MEDIA_TYPES[name.rpartition(".")[2]]


@cache
def digest(name: str) -> str:
    """Names the content of an asset: part of its address, so that browsers may keep it for ever."""
    return hashlib.sha256(read_asset(name)).hexdigest()[:16]


def _file(name: str) -> Traversable:
    package, folder = _PLACES[name]
    return files(package) / folder / name
