"""What the names of a Python file stand for, read from its syntax tree."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

_TYPE_CHECKING = {"typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING"}
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Import:
    """One name that an import binds. `module` is absolute; `name` is None for `import module`.

    `bound` is the name in the file: `a` for `import a.b`, `m` for `import a.b as m`.
    """

    module: str
    name: str | None
    bound: str

    @property
    def is_plain(self) -> bool:
        """Whether it is `import a.b` without `as`, which binds `a` and makes `a.b` reachable through it."""
        return self.name is None and self.bound == self.module.partition(".")[0]

    @property
    def target(self) -> str:
        """The dotted name of what `bound` stands for."""
        if self.is_plain:
            return self.bound
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass(slots=True)
class Binding:
    """A name of a file: by `imports`, or, where there are none, defined by the file itself.

    `at_run_time`: not only for type checkers.
    """

    imports: list[Import] = field(default_factory=list)
    at_run_time: bool = True


@dataclass(slots=True)
class Bindings:
    """The names that a file binds at its top level. `package` is what its relative imports start from."""

    package: str
    names: dict[str, Binding] = field(default_factory=dict)
    stars: list[ast.ImportFrom] = field(default_factory=list)
    too_far: list[ast.ImportFrom] = field(default_factory=list)
    """Relative imports that lead out of the top package."""

    def dotted(self, node: ast.expr) -> str | None:
        """The absolute dotted name of `a` or `a.b.c`, followed through the imports; None for other expressions."""
        chain = name_chain(node)
        if chain is None:
            return None
        binding = self.names.get(chain[0])
        first = binding.imports[0].target if binding and binding.imports else chain[0]
        return ".".join((first, *chain[1:]))

    def is_type_checking(self, test: ast.expr) -> bool:
        """Whether an `if` with this test holds for type checkers only."""
        return self.dotted(test) in _TYPE_CHECKING

    def run_time_names(self) -> set[str]:
        """The names that can be imported from the file."""
        return {name for name, binding in self.names.items() if binding.at_run_time}


def read_bindings(tree: ast.Module, package: str) -> Bindings:
    """The bindings of a file that belongs to `package` (a package's `__init__.py` belongs to itself)."""
    bindings = Bindings(package)
    _read_block(bindings, tree.body, at_run_time=True)
    return bindings


def is_dead(test: ast.expr) -> bool:
    """Whether an `if` with this test never holds: `if False`, `if 0`."""
    return isinstance(test, ast.Constant) and not test.value


def name_chain(node: ast.expr) -> tuple[str, ...] | None:
    """The names of `a.b.c`; None for other expressions."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None


def _read_block(bindings: Bindings, body: Iterable[ast.stmt], *, at_run_time: bool) -> None:
    for statement in body:
        if isinstance(statement, ast.Import | ast.ImportFrom):
            _read_import(bindings, statement, at_run_time=at_run_time)
        elif isinstance(statement, ast.If) and bindings.is_type_checking(statement.test):
            _read_block(bindings, statement.body, at_run_time=False)
            _read_run_time_only(bindings, statement.orelse)
        elif isinstance(statement, ast.If) and is_dead(statement.test):
            _read_block(bindings, statement.orelse, at_run_time=at_run_time)
        else:
            for name in _bound_in(statement):
                bindings.names[name] = Binding(at_run_time=at_run_time)


def _read_run_time_only(bindings: Bindings, body: list[ast.stmt]) -> None:
    """The `else` of `if TYPE_CHECKING`: what type checkers are told of a name stands, but it is bound at run time."""
    for name in (name for statement in body for name in _bound_in(statement)):
        told = bindings.names.get(name, Binding())
        bindings.names[name] = replace(told, at_run_time=True)


def _read_import(bindings: Bindings, statement: ast.Import | ast.ImportFrom, *, at_run_time: bool) -> None:
    for found in _imports(bindings, statement):
        known = bindings.names.get(found.bound)
        if found.is_plain and known and known.imports and known.imports[0].is_plain:
            known.imports.append(found)
            known.at_run_time = known.at_run_time or at_run_time
        else:
            bindings.names[found.bound] = Binding([found], at_run_time)


def _imports(bindings: Bindings, statement: ast.Import | ast.ImportFrom) -> Iterator[Import]:
    if isinstance(statement, ast.Import):
        for alias in statement.names:
            yield Import(alias.name, None, alias.asname or alias.name.partition(".")[0])
        return
    module = _absolute(bindings.package, statement)
    if module is None:
        bindings.too_far.append(statement)
        return
    for alias in statement.names:
        if alias.name == "*":
            bindings.stars.append(statement)
        else:
            yield Import(module, alias.name, alias.asname or alias.name)


def _absolute(package: str, statement: ast.ImportFrom) -> str | None:
    """The module of `from … import`, with the dots of a relative one replaced; None if they are too many."""
    if not statement.level:
        return statement.module
    parts = package.split(".")
    if statement.level > len(parts):
        return None
    kept = parts[: len(parts) - statement.level + 1]
    return ".".join((*kept, statement.module) if statement.module else kept)


def _bound_in(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds in the scope it stands in, those of its blocks included."""
    pending: list[ast.AST] = [statement]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        if not isinstance(node, _SCOPES):
            pending.extend(ast.iter_child_nodes(node))
