"""Generation from end to end: routers, apps, specs, clients, index, manifest, stamp (G01)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from trading_api.codegen.building import Contract, build_contracts, stale_routers, write_routers
from trading_api.codegen.client_files import ClientCache
from trading_api.codegen.contract_changes import contract_changes
from trading_api.codegen.differ.document import Node
from trading_api.codegen.documents import SpecName, committed_documents
from trading_api.codegen.files import FileChange, FilePlan
from trading_api.codegen.merged_manifest import merged_manifest
from trading_api.codegen.order import Order
from trading_api.codegen.outcome import Failure, Outcome
from trading_api.codegen.publishing import ForeignFiles, plan_package
from trading_api.codegen.rendering import CannotRender, LocalRenderer, Renderer, missing_tool
from trading_api.codegen.reviewed import former_documents
from trading_api.codegen.site import CLIENT, ROUTERS, SPECS, Site
from trading_api.codegen.stamp import Stamp, write_stamp
from trading_api.codegen.tree import Tree, read_tree
from trading_api.codegen.version_specs import VersionSpecs, by_version
from trading_api.shared.errors import ModuleError
from trading_api.shared.specs.canonical import render_json

Say = Callable[[str], None]


@dataclass
class Run:
    """One run over a site. The caller holds its lock; `tree` and `stamp` are what it found then."""

    site: Site
    order: Order
    tree: Tree
    stamp: Stamp
    say: Say
    renderer: Renderer = field(default_factory=LocalRenderer)
    outcome: Outcome = field(init=False)
    plan: FilePlan = field(default_factory=FilePlan)
    contracts: list[Contract] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.outcome = Outcome(check=self.order.check, command=self.order.command)
        self._cache = ClientCache(self.site, self.tree, self.stamp.clients)
        self._rendered: dict[str, Mapping[str, str]] = {}

    @property
    def documents(self) -> dict[SpecName, Node]:
        """The contracts that were built."""
        return {contract.name: contract.document for contract in self.contracts}

    def go(self) -> Outcome:
        """Generate, or in a check compare. What concerns one module only ends as a failure of that module."""
        for name in self.order.modules or tuple(self.site.modules):
            self._module(name)
        clients = not self.order.quick and self._render_clients()
        self._compare_contracts()
        self._plan_specs()
        if clients:
            self._plan_clients()
            self._plan_index()
            self._plan_package()
        self._plan_manifest()
        self._finish()
        return self.outcome

    def _module(self, name: str) -> None:
        """Routers and contracts of a module. The first error ends it; nothing more of the module is written then."""
        self.say(f"{name}: routers, contracts")
        folder = self.site.modules[name]
        try:
            if not self.order.check:
                write_routers(folder, quick=self.order.quick)
            elif stale := list(stale_routers(folder, quick=self.order.quick)):
                for place, files in stale:
                    self.plan.add(place, files)
                self.outcome.notes.append(f"{name}: its specs and clients follow from its routers; not compared")
                return
            self.contracts += build_contracts(folder, self.site.modules)
        except ModuleError as error:
            self.outcome.failures.append(Failure(name, str(error)))

    @property
    def _built(self) -> frozenset[str]:
        """The modules that were loaded without an error."""
        names = self.order.modules or tuple(self.site.modules)
        known = {contract.name.module for contract in self.contracts}
        return frozenset(name for name in names if name in known)

    def _compare_contracts(self) -> None:
        former, self.outcome.since = former_documents(self.site, self.order)
        gone = frozenset[str]() if self.order.modules else {name.module for name in former} - self.site.modules.keys()
        old = {name: document for name, document in former.items() if name.module in self._built | gone}
        self.outcome.changes = contract_changes(old, self.documents)

    def _plan_specs(self) -> None:
        for name in self._built:
            self.plan.folders.add(self.site.modules[name].path / SPECS)
        for contract in self.contracts:
            folder = self.site.modules[contract.name.module].path / SPECS
            self.plan.add(folder, {contract.name.file: contract.text})
        for former in () if self.order.modules else self.site.former_folders():
            self.plan.folders |= {former / SPECS, former / CLIENT}

    def _render_clients(self) -> bool:
        """Render the clients that the stamp does not know as current; False where the tools for it are missing."""
        if missing := missing_tool():
            return self._without_clients(missing)
        for specs in self._versions():
            try:
                self._render(specs)
            except CannotRender as error:
                reason = f"module {specs.module!r}: {specs.version}: no client can be made: {error}"
                self.outcome.failures.append(Failure(specs.module, reason))
                self.contracts = [one for one in self.contracts if one.name.module != specs.module]
        return True

    def _render(self, specs: VersionSpecs) -> None:
        if not self._cache.files_of(specs):
            self.say(f"{specs.module} {specs.version}: client")
            self._rendered[specs.key] = self.renderer.client(specs)

    def _without_clients(self, missing: str) -> bool:
        """Where the tools are missing, a check cannot say yes."""
        text = f"clients are not brought up to date: {missing} is not installed; run: make install"
        if self.order.check:
            self.outcome.failures.append(Failure("", text))
        else:
            self.outcome.notes.append(text)
        return False

    def _versions(self) -> list[VersionSpecs]:
        return by_version({contract.name: contract.text for contract in self.contracts})

    def _plan_clients(self) -> None:
        for specs in self._versions():
            folder = self.site.modules[specs.module].path / CLIENT
            self.plan.add(folder, self._rendered.get(specs.key, {}))
            self.plan.kept.update(self._cache.files_of(specs))

    def _plan_index(self) -> None:
        """Leaves the index alone when a module failed: it would come out without what the module is about to get."""
        if self.outcome.failures and (self.site.index / "__init__.py").is_file():
            return
        self.plan.add(self.site.index, self.renderer.index(self._all_versions()))

    def _plan_package(self) -> None:
        if self.order.output_dir is None:
            return
        try:
            files = self.renderer.package(self._versions())
            plan_package(self.plan, self.order.output_dir, self.contracts, files)
        except ForeignFiles as error:
            self.outcome.failures.append(Failure("", str(error)))

    def _all_versions(self) -> list[VersionSpecs]:
        """Every version of every module that has a contract: built now, or before."""
        texts = {contract.name: contract.text for contract in self.contracts}
        for name, document in committed_documents(self.site).items():
            if name.module in self.site.modules and name.module not in self._built:
                texts[name] = render_json(document)
        return by_version(texts)

    def _plan_manifest(self) -> None:
        text = merged_manifest(self.site, self._built, self.documents)
        if text is not None:
            self.plan.files[self.site.manifest] = text

    def _finish(self) -> None:
        if self.order.check:
            self.outcome.files = self.plan.drift()
        else:
            self._write()
        if self.outcome.ok and not self.outcome.notes:
            self._keep_stamp()

    def _write(self) -> None:
        try:
            self.outcome.files = [*self._router_changes(), *self.plan.apply()]
        except OSError as error:
            reason = f"{error.filename or self.site.package}: cannot be written: {error.strerror or error}"
            self.outcome.failures.append(Failure("", reason))

    def _router_changes(self) -> Iterator[FileChange]:
        """What the router generator wrote or removed since the run began."""
        now = read_tree(self.site.package).files
        for path in sorted(now.keys() | self.tree.files.keys()):
            if f"/{ROUTERS}/" in path and now.get(path) != self.tree.files.get(path):
                yield FileChange(self.site.package / path, "written" if path in now else "removed")

    def _keep_stamp(self) -> None:
        """Stamp last, and only if the sources are still those that were read."""
        now = read_tree(self.site.package)
        if _sources_of(now) != _sources_of(self.tree):
            return
        for specs in self._versions():
            if specs.key in self._rendered:
                self._cache.remember(specs, now)
        write_stamp(self.site.package, self.stamp.extended(now, self.order.scope, self._cache.known))


def _sources_of(tree: Tree) -> dict[str, str]:
    """What was not generated: the rest of the package."""
    generated = (f"/{ROUTERS}/", f"/{SPECS}/", f"/{CLIENT}/")
    return {
        path: digest
        for path, digest in tree.files.items()
        if not path.startswith(("clients/", "manifest.json")) and not any(part in path for part in generated)
    }
