"""The documents of one version of a module, built from its running code."""

from collections.abc import Callable
from dataclasses import dataclass

from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.openapi import served_at
from trading_api.shared.ws.route import AnyRoute


@dataclass(frozen=True, slots=True)
class ModuleDocuments:
    """Describes one version of a module. `routers` are its WebSocket routes, None where it has no WebSocket."""

    title: str
    version: str
    description: str
    openapi_source: Callable[[], Json]
    routers: tuple[AnyRoute, ...] | None = None

    def openapi(self, url: str) -> Json:
        """The OpenAPI document of the module served at the path `url`, as in `/api/v1/broker`; empty is the root."""
        return served_at(self.openapi_source(), url)

    def asyncapi(self, url: str) -> Json | None:
        """The AsyncAPI document of the module served at the path `url`; None where it has no WebSocket."""
        if self.routers is None:
            return None
        # Here and not above: no start of a server waits for what the first reader needs.
        from trading_api.shared.specs.asyncapi import asyncapi_document

        return asyncapi_document(
            title=self.title,
            version=self.version,
            description=self.description,
            address=f"{url}/ws",
            routers=self.routers,
        )
