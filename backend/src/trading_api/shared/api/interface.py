"""The base class of every module's REST router."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import ClassVar, Final, Generic, TypeVar

from fastapi import APIRouter

from trading_api.models.common import HealthResponse, VersionResponse, VersionsResponse
from trading_api.shared.module import Module
from trading_api.shared.service import Service

ModuleT = TypeVar("ModuleT", bound=Module[Service])

SAFE: Final[dict[str, bool]] = {"x-safe": True}
"""For a POST that only reads: `self.post("/quotes", …, openapi_extra=SAFE)`.

The gateway may then send it to another instance when one breaks off; it never does that to other POSTs.
"""


class APIRouterInterface(APIRouter, ABC, Generic[ModuleT]):
    """The routes of one version of a module: the three that every module has (A03), and its own.

    `modules/<name>/api/v1.py` (or the package `api/v1/`) defines exactly one subclass. It lists its routes in
    `register`, each with its operation id from the trading contract, and holds one method per route.
    """

    tags_described: ClassVar[Mapping[str, str]] = {}
    """What the tags of the module's own routes stand for: `{"orders": "Placing and changing orders."}`."""

    def __init__(self, module: ModuleT, version: str, versions: tuple[str, ...]) -> None:
        """`version` is the one served here, as in `v1`; `versions` are all that are served, oldest first."""
        super().__init__()
        self.module = module
        self.version = version
        self.versions = versions
        self.tag_descriptions = {"status": "Health and versions: the routes of every module.", **self.tags_described}
        self.get("/health", operation_id="getHealthStatus", tags=["status"])(self.get_health_status)
        self.get("/version", operation_id="getCurrentAPIVersion", tags=["status"])(self.get_current_api_version)
        self.get("/versions", operation_id="getAPIVersions", tags=["status"])(self.get_api_versions)
        self.register()

    @abstractmethod
    def register(self) -> None:
        """Add the module's own routes: `self.get("/account", operation_id="getAccountInfo")(self.get_account_info)`."""

    async def get_health_status(self) -> HealthResponse:
        """How the module fares."""
        health = self.module.service.health()
        return HealthResponse(
            status=health.status,
            message=health.message,
            timestamp=datetime.now(UTC),
            module_name=self.module.name,
            api_version=self.version,
        )

    async def get_current_api_version(self) -> VersionResponse:
        """The version of this API."""
        return VersionResponse(module_name=self.module.name, api_version=self.version)

    async def get_api_versions(self) -> VersionsResponse:
        """Every version of this API that is served."""
        return VersionsResponse(module_name=self.module.name, api_versions=list(self.versions))


class StatusRouter(APIRouterInterface[Module[Service]]):
    """The three routes of every module and nothing else: for a version that has WebSockets only."""

    def register(self) -> None:
        """Nothing of its own."""
