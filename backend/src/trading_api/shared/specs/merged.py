"""The documents of a whole deployment: made of the committed files, so that every process tells the same."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trading_api.shared.problems import ProblemError
from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.files import Kind, spec_path
from trading_api.shared.specs.module_documents import ModuleDocuments

logger = logging.getLogger(__name__)

_Stamp = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class SpecSource:
    """One version of a module of the deployment. `live` are its documents where this process serves it too."""

    module: str
    version: str
    folder: Path
    websockets: bool
    live: ModuleDocuments | None = None

    def path(self, kind: Kind) -> Path:
        """The committed file."""
        return spec_path(self.folder, self.module, self.version, kind)

    def read(self, kind: Kind) -> Json:
        """The committed document, or the one of the running code where there is no file. Raises ProblemError."""
        try:
            document = json.loads(self.path(kind).read_bytes())
        except FileNotFoundError:
            document = None
        except (OSError, ValueError) as error:
            logger.warning("%s cannot be read, so it counts as missing: %s", self.path(kind), error)
            document = None
        found = document if isinstance(document, dict) else self._build(kind)
        if found is None:
            raise ProblemError(
                503, f"The {kind} document of {self.module} {self.version} is missing; run: make generate"
            )
        return found

    def _build(self, kind: Kind) -> Json | None:
        if self.live is None:
            return None
        return self.live.openapi("") if kind == "openapi" else self.live.asyncapi("")


class MergedDocuments:
    """The merged documents of one version. Files that change are read again; else nothing is done twice."""

    def __init__(self, version: str, sources: tuple[SpecSource, ...]) -> None:
        self.version = version
        self.title = f"Trading API {version}"
        self._sources = {
            "openapi": sources,
            "asyncapi": tuple(source for source in sources if source.websockets),
        }
        self._kept: dict[Kind, tuple[object, Json]] = {}

    def openapi(self, url: str) -> Json:
        """Every route of the deployment; `url` is where this version is served, as in `/api/v1`."""
        return self._merged("openapi", url)

    def asyncapi(self, url: str) -> Json:
        """Every WebSocket route of the deployment; `url` is where this version is served, as in `/api/v1`."""
        return self._merged("asyncapi", url)

    def _merged(self, kind: Kind, url: str) -> Json:
        sources = self._sources[kind]
        key = (url, tuple(_stamp(source.path(kind)) for source in sources))
        kept = self._kept.get(kind)
        if kept is None or kept[0] != key:
            documents = {source.module: source.read(kind) for source in sources}
            base_url = url.removesuffix(f"/{self.version}")
            kept = (key, _merge(kind, documents, self.version, base_url))
            self._kept[kind] = kept
        return kept[1]


def _merge(kind: Kind, documents: Mapping[str, Json], version: str, base_url: str) -> Json:
    # Here and not above: no start of a server waits for what the first reader needs.
    from trading_api.shared.specs.merge import merge_asyncapi, merge_openapi

    merge = merge_openapi if kind == "openapi" else merge_asyncapi
    return merge(documents, version=version, base_url=base_url)


def _stamp(path: Path) -> _Stamp:
    """What changes when the file does: a replaced file is another one, at another time."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)
