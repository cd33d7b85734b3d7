"""The documents of one version of a module: all that its client is made from."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trading_api.codegen.documents import SpecName

if TYPE_CHECKING:
    from trading_api.codegen.clients import ClientSource


@dataclass(frozen=True)
class VersionSpecs:
    """The documents of one version of a module as text: `openapi`, and `asyncapi` where it has WebSockets."""

    module: str
    version: str
    texts: Mapping[str, str]

    @property
    def key(self) -> str:
        return f"{self.module}:{self.version}"

    def source(self) -> "ClientSource":
        """As the client generator takes it."""
        import json

        from trading_api.codegen.clients import ClientSource

        documents = {kind: json.loads(text) for kind, text in self.texts.items()}
        return ClientSource(self.module, self.version, documents["openapi"], documents.get("asyncapi"))

    def to_json(self) -> dict[str, object]:
        """The fields by name; `VersionSpecs(**…)` makes it again."""
        return {"module": self.module, "version": self.version, "texts": dict(self.texts)}


def by_version(texts: Mapping[SpecName, str]) -> list[VersionSpecs]:
    """The versions that have a REST contract, in order."""
    versions = sorted({(name.module, name.version) for name in texts if name.kind == "openapi"})
    return [
        VersionSpecs(
            module,
            version,
            {name.kind: text for name, text in texts.items() if (name.module, name.version) == (module, version)},
        )
        for module, version in versions
    ]
