"""Which modules a deployment has, hence what its merged documents are made of."""

from collections.abc import Iterable, Iterator, Mapping

from trading_api.shared.module_app import ModuleApp
from trading_api.shared.registry import ModuleFolder
from trading_api.shared.specs.merged import MergedDocuments, SpecSource, merged_documents


def deployment_documents(
    apps: Iterable[ModuleApp], folders: Mapping[str, ModuleFolder], deployed: Iterable[str]
) -> list[MergedDocuments]:
    """The merged documents of the modules that `deployed` names, and of those that this process serves itself.

    Of the latter, only the versions that `apps` serve. A module that is not installed is left out.
    """
    own = list(apps)
    served = {app.module.name for app in own}
    others = [folders[name] for name in deployed if name in folders and name not in served]
    return merged_documents(
        [*(_own(app, folders) for app in own), *(one for folder in others for one in _other(folder))]
    )


def _own(app: ModuleApp, folders: Mapping[str, ModuleFolder]) -> SpecSource:
    name, version = app.module.name, app.version
    return SpecSource(name, version, folders[name].path, app.documents.routers is not None, app.documents)


def _other(folder: ModuleFolder) -> Iterator[SpecSource]:
    for version in folder.versions:
        yield SpecSource(folder.name, version, folder.path, version in folder.ws)
