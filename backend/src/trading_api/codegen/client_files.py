"""Which files the client of a version consists of, and whether they must be rendered at all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trading_api.codegen.site import CLIENT, Site
from trading_api.codegen.tree import Tree, digest
from trading_api.codegen.version_specs import VersionSpecs


@dataclass
class ClientCache:
    """What is known of the clients on disk. `former` comes from the stamp; `known` is what this run leaves to it."""

    site: Site
    tree: Tree
    former: Mapping[str, str]
    known: dict[str, str] = field(default_factory=dict)

    def files_of(self, specs: VersionSpecs) -> list[Path]:
        """The files on disk of this version's client, if they are what `specs` and the generator would make again.

        Empty: they must be rendered.
        """
        state = self._state(specs, self._on_disk(specs))
        if self.former.get(specs.key) != state or not self._on_disk(specs):
            return []
        self.known[specs.key] = state
        return [self.site.package / path for path in self._on_disk(specs)]

    def remember(self, specs: VersionSpecs, tree: Tree) -> None:
        """The client of `specs` stands on disk as `tree` shows it."""
        self.tree = tree
        self.known[specs.key] = self._state(specs, self._on_disk(specs))

    def _on_disk(self, specs: VersionSpecs) -> list[str]:
        prefix = f"modules/{specs.module}/{CLIENT}/{specs.module}_{specs.version}"
        return sorted(path for path in self.tree.files if path.startswith((f"{prefix}_", f"{prefix}.")))

    def _state(self, specs: VersionSpecs, paths: list[str]) -> str:
        """One digest over what a client is made from, and what was made."""
        generator = self.tree.digest_of("codegen/")
        made = "\n".join(f"{path} {self.tree.files[path]}" for path in paths)
        return digest(generator, *(f"{kind} {text}" for kind, text in sorted(specs.texts.items())), made)
