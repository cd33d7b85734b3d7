"""What a client is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class ClientSourceError(ValueError):
    """A contract that no client can be made from: `where` in it, and what is wrong or not supported."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")
        self.where = where


@dataclass(frozen=True, slots=True)
class ClientSource:
    """The contract of one version of one module. The documents are only read."""

    module: str
    version: str
    openapi: Mapping[str, Any]
    asyncapi: Mapping[str, Any] | None = None

    @property
    def stem(self) -> str:
        """What its files are called: `broker_v1`."""
        return f"{self.module}_{self.version}"
