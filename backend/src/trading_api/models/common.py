"""What every module says over the wire, whatever it is about."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class HealthResponse(BaseModel):
    """The answer of `/health`."""

    model_config = ConfigDict(frozen=True)

    status: Literal["ok", "degraded"] = Field(description="ok, or degraded: it answers, but something is missing.")
    message: str = Field(description="The same in words.", examples=["The module is up."])
    timestamp: datetime = Field(description="The server's time, UTC.")
    module_name: str = Field(examples=["broker"])
    api_version: str = Field(examples=["v1"])


class VersionResponse(BaseModel):
    """The answer of `/version`: the version of the API that was asked."""

    model_config = ConfigDict(frozen=True)

    module_name: str = Field(examples=["broker"])
    api_version: str = Field(examples=["v1"])


class VersionsResponse(BaseModel):
    """The answer of `/versions`: what this deployment serves of the module."""

    model_config = ConfigDict(frozen=True)

    module_name: str = Field(examples=["broker"])
    api_versions: list[str] = Field(description="Oldest first.", examples=[["v1", "v2"]])
