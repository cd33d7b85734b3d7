"""The one file that `deploy` and `trading_api` share: which modules exist, in which versions, at which paths."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from deploy.errors import DeployError

FORMAT = 1


class ManifestError(DeployError):
    """The manifest is missing or cannot be read; says what to run."""


@dataclass(frozen=True)
class VersionEntry:
    """One version of a module. Paths lack the deployment's `api_base_url`: `/v1/broker`.

    `safe_posts` are paths whose POST changes nothing, so that it may be sent again.
    """

    rest_prefix: str
    health_path: str
    ws_path: str | None
    ws_routes: tuple[str, ...]
    safe_posts: tuple[str, ...] = ()


@dataclass(frozen=True)
class ModuleEntry:
    """One module: its versions in order (`v1`, `v2`, …) and its traits."""

    versions: Mapping[str, VersionEntry]
    traits: tuple[str, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """Every module of the backend by name."""

    modules: Mapping[str, ModuleEntry]

    def owner_of(self, route: str) -> str | None:
        """The module that declares WebSocket route `route`, or is called so; None when there is none."""
        for name, module in self.modules.items():
            if any(route in version.ws_routes for version in module.versions.values()):
                return name
        return route if route in self.modules else None

    def ws_routes(self) -> list[str]:
        """Every declared WebSocket route, sorted."""
        return sorted({r for m in self.modules.values() for v in m.versions.values() for r in v.ws_routes})


def default_path() -> Path:
    """`manifest.json` inside the installed backend; found without importing it, so that nothing of it runs."""
    spec = find_spec("trading_api")
    if spec is None or not spec.submodule_search_locations:
        raise ManifestError("the package trading_api is not installed; run: make install")
    return Path(next(iter(spec.submodule_search_locations))) / "manifest.json"


def read(path: Path) -> Manifest:
    """Read the manifest. Raises ManifestError for a missing, broken or newer file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ManifestError(f"{path}: missing; run: make generate") from None
    except (OSError, ValueError) as error:
        raise ManifestError(f"{path}: cannot be read ({error}); run: make generate") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ManifestError(f"{path}: not a manifest of format {FORMAT}; run: make generate")
    try:
        return Manifest({name: _module(entry) for name, entry in document["modules"].items()})
    except (KeyError, TypeError, AttributeError) as error:
        raise ManifestError(f"{path}: incomplete ({error!r}); run: make generate") from None


def _module(entry: Mapping[str, Mapping[str, Mapping[str, object]]]) -> ModuleEntry:
    versions = sorted(entry["versions"].items(), key=lambda item: int(item[0].lstrip("v")))
    return ModuleEntry({name: _version(fields) for name, fields in versions}, tuple(entry.get("traits", ())))


def _version(fields: Mapping[str, object]) -> VersionEntry:
    ws_path = fields["ws_path"]
    return VersionEntry(
        rest_prefix=str(fields["rest_prefix"]),
        health_path=str(fields["health_path"]),
        ws_path=None if ws_path is None else str(ws_path),
        ws_routes=_texts(fields["ws_routes"]),
        safe_posts=_texts(fields.get("safe_posts", [])),
    )


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return tuple(str(item) for item in value)
