"""Where an API stands, as its documents say: taken apart into the base of the deployment and the rest."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from trading_api.codegen.clients.source import ClientSource


@dataclass(frozen=True, slots=True)
class ApiPath:
    """`base` as in `/api`, `prefix` as in `/v1/broker`, `socket` below both, as in `/ws`."""

    base: str
    prefix: str
    socket: str


def api_path(source: ClientSource, socket_address: str) -> ApiPath:
    """The path of a module: of its first server, and of its channels."""
    own = f"/{source.version}/{source.module}"
    path = _server_path(source.openapi) or f"/api{own}"
    base, prefix = (path.removesuffix(own), own) if path.endswith(own) else (path, "")
    socket = socket_address.removeprefix(path) if socket_address.startswith(path) else "/ws"
    return ApiPath(base, prefix, socket)


def _server_path(document: Mapping[str, Any]) -> str:
    servers: list[Mapping[str, Any]] = document.get("servers") or [{}]
    return urlsplit(str(servers[0].get("url", ""))).path.rstrip("/")
