"""Which modules a deployment has, hence what its merged documents are made of."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import ModuleFolder, discover
from trading_api.shared.specs.merged import MergedDocuments, SpecSource


class DeploymentDocuments:
    """The merged documents of a deployment, one for each version that some module of it has now.

    What this process serves stays as it is; what other processes serve changes while this one runs. So their folders
    are looked at anew for each document: a new version, or a first WebSocket, needs no restart of this process.
    """

    def __init__(self, own: Sequence[SpecSource], others: Sequence[ModuleFolder]) -> None:
        """`own` is what this process serves itself."""
        self._own = tuple(own)
        self._names = frozenset(folder.name for folder in others)
        self._parents = {(folder.package.rpartition(".")[0], folder.path.parent) for folder in others}
        self._kept: dict[str, tuple[tuple[SpecSource, ...], MergedDocuments]] = {}

    def of(self, version: str) -> MergedDocuments | None:
        """The documents of one version, `v1`; None if no module has it."""
        sources = tuple(source for source in self._sources() if source.version == version)
        if not sources:
            self._kept.pop(version, None)
            return None
        kept = self._kept.get(version)
        if kept is None or kept[0] != sources:
            kept = self._kept[version] = (sources, MergedDocuments(version, sources))
        return kept[1]

    def _sources(self) -> Iterator[SpecSource]:
        yield from self._own
        for package, path in self._parents:
            found = discover(package, path)
            for name in sorted(self._names & found.keys()):
                yield from _other(found[name])


def deployment_documents(
    apps: Iterable[ModuleApp], folders: Mapping[str, ModuleFolder], deployed: Iterable[str]
) -> DeploymentDocuments:
    """The merged documents of the modules that `deployed` names, and of those that this process serves itself.

    Of the latter, only the versions that `apps` serve. A module that is not installed is left out.
    """
    own = list(apps)
    served = {app.module.name for app in own}
    others = [folders[name] for name in deployed if name in folders and name not in served]
    return DeploymentDocuments([_own(app, folders) for app in own], others)


def _own(app: ModuleApp, folders: Mapping[str, ModuleFolder]) -> SpecSource:
    name, version = app.module.name, app.version
    return SpecSource(name, version, folders[name].path, app.documents.routers is not None, app.documents)


def _other(folder: ModuleFolder) -> Iterator[SpecSource]:
    for version in folder.versions:
        yield SpecSource(folder.name, version, folder.path, version in folder.ws)
