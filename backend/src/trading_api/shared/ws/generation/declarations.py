"""Reads the router declarations of a `ws/<version>/__init__.py` from its syntax tree. Nothing is imported."""

import ast
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from trading_api.shared.ws.generation.alias import FRAMEWORK, Alias, mentions, read_alias, routed
from trading_api.shared.ws.generation.arguments import Argument, ArgumentError, ArgumentReader, without_quotes
from trading_api.shared.ws.generation.bindings import is_dead, read_bindings
from trading_api.shared.ws.generation.existence import SourceTree
from trading_api.shared.ws.generation.names import SUFFIX, file_stem, route_name
from trading_api.shared.ws.generation.problem import Problem
from trading_api.shared.ws.generation.source import Source

DELIVERIES = ("Disconnect", "Conflate", "Durable")
# What a generated file names itself; a type of the same name is imported under another one.
_RESERVED = frozenset({"WsRoute", *DELIVERIES, "route", "request_type", "data_type", "delivery"})
_FORM = "write it as `NameWsRouter: TypeAlias = WsRouter[Request, Data]`"


@dataclass(frozen=True, slots=True)
class Declaration:
    """One declared router. `delivery` is the name of a class of the framework; `line`, `column` count from 1."""

    alias: str
    route: str
    request: Argument
    data: Argument
    delivery: str
    description: str
    line: int
    column: int

    @property
    def stem(self) -> str:
        """The name of its generated file, without `.py`."""
        return file_stem(self.route)


def read_declarations(source: Source) -> tuple[tuple[Declaration, ...], tuple[Problem, ...]]:
    """The declarations in a file, sorted by route, and everything that is wrong with the file."""
    file = str(source.folder.file)
    try:
        tree = ast.parse(source.text)
    except (SyntaxError, ValueError) as error:
        return (), (_syntax_problem(file, error),)
    reader = _Reader(source, tree)
    reader.read_block(tree.body)
    reader.check_imports()
    reader.check_names()
    found = tuple(sorted(reader.declarations, key=lambda declaration: declaration.route))
    return found, tuple(sorted(set(reader.problems)))


class _Reader:
    """Walks over one file and gathers its declarations and problems."""

    def __init__(self, source: Source, tree: ast.Module) -> None:
        self._file = str(source.folder.file)
        self._lines = source.text.splitlines()
        self._bindings = read_bindings(tree, source.folder.package)
        self._tree = SourceTree(source.folder.root, source.folder.top)
        self.declarations: list[Declaration] = []
        self.problems: list[Problem] = []

    def read_block(self, body: Sequence[ast.stmt]) -> None:
        """The statements at the top level, or of an `if TYPE_CHECKING` there."""
        for statement, following in zip_longest(body, body[1:]):
            self._read_statement(statement, following)

    def check_imports(self) -> None:
        """Report the imports from which no name can be followed."""
        for statement in self._bindings.stars:
            self._report(statement, "a star import hides which names are meant", "import the types by name")
        for statement in self._bindings.too_far:
            self._report(statement, "this relative import leads out of the top-level package")

    def check_names(self) -> None:
        """Report declarations that would be written to one file."""
        taken: dict[str, Declaration] = {}
        for found in sorted(self.declarations, key=lambda declaration: (declaration.line, declaration.column)):
            first = taken.setdefault(found.stem, found)
            if first is not found:
                reason = f"the route {found.route!r} is declared twice, first by {first.alias} on line {first.line}"
                self.problems.append(Problem(self._file, found.line, found.column, reason))

    def _read_statement(self, statement: ast.stmt, following: ast.stmt | None) -> None:
        if isinstance(statement, ast.If) and self._bindings.is_type_checking(statement.test):
            self.read_block(statement.body)
            self._refuse(*statement.orelse)
            return
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return
        alias = read_alias(statement, self._bindings)
        router = routed(alias, self._bindings) if alias else None
        if alias and router:
            self._declare(alias, router, following)
        elif not self._refuse(statement, *([alias.value] if alias else [])):
            self._refuse_named(statement)

    def _declare(self, alias: Alias, router: ast.Subscript, following: ast.stmt | None) -> None:
        self._check_form(alias, router)
        try:
            route = route_name(alias.name)
        except ValueError as error:
            self._report(alias.node, str(error))
            return
        arguments = router.slice.elts if isinstance(router.slice, ast.Tuple) else [router.slice]
        if not 2 <= len(arguments) <= 3:
            given = "1 argument" if len(arguments) == 1 else f"{len(arguments)} arguments"
            said = f"WsRouter takes two types and perhaps a delivery, not {given}"
            self._report(router, said, "as in WsRouter[Request, Data] or WsRouter[Request, Data, Conflate]")
            return
        reader = ArgumentReader(self._bindings, self._tree, _RESERVED | {alias.name})
        request, data = (self._argument(reader, node) for node in arguments[:2])
        delivery = self._delivery(arguments[2]) if arguments[2:] else DELIVERIES[0]
        if request and data and delivery:
            place = (alias.node.lineno, self._column(alias.node))
            text = _description(following)
            self.declarations.append(Declaration(alias.name, route, request, data, delivery, text, *place))

    def _check_form(self, alias: Alias, router: ast.Subscript) -> None:
        if SUFFIX not in self._bindings.names and ast.unparse(router.value) == SUFFIX:
            self._report(router, f"{SUFFIX} is not imported", f"from {FRAMEWORK} import {SUFFIX}")
        if alias.annotation and not alias.is_type:
            self._report(alias.annotation, f"the annotation of {alias.name} is not typing's TypeAlias", _FORM)

    def _argument(self, reader: ArgumentReader, node: ast.expr) -> Argument | None:
        try:
            return reader.read(node)
        except ArgumentError as error:
            self._report(error.node, error.reason, error.hint)
            return None

    def _delivery(self, node: ast.expr) -> str | None:
        dotted = self._bindings.dotted(without_quotes(node)) or ""
        for name in DELIVERIES:
            if dotted in (f"{FRAMEWORK}.{name}", f"{FRAMEWORK}.declaration.{name}"):
                return name
        known = ", ".join(DELIVERIES)
        self._report(node, f"{ast.unparse(node)!r} is no delivery", f"import one from {FRAMEWORK}: {known}")
        return None

    def _refuse(self, *code: ast.AST) -> bool:
        """Report every mention of WsRouter that declares nothing here; whether there is one."""
        found = [node for part in code for node in mentions(part, self._bindings)]
        for node in found:
            reason = f"this use of {SUFFIX} is not understood, so no route would come of it"
            self._report(node, reason, f"{_FORM}, at the top level of the file or under `if TYPE_CHECKING`")
        return bool(found)

    def _refuse_named(self, statement: ast.stmt) -> None:
        """Report a statement that names something as a router is named, and declares none."""
        if isinstance(statement, ast.If) and is_dead(statement.test):
            return
        for name in sorted(_named(statement)):
            if name.endswith(SUFFIX):
                self._report(statement, f"{name} is named as a router is, but declares none", _FORM)

    def _report(self, node: ast.expr | ast.stmt, reason: str, hint: str = "") -> None:
        self.problems.append(Problem(self._file, node.lineno, self._column(node), reason, hint))

    def _column(self, node: ast.expr | ast.stmt) -> int:
        """Where `node` starts in its line, in characters; the syntax tree counts bytes."""
        line = self._lines[node.lineno - 1] if node.lineno <= len(self._lines) else b""
        return len(line[: node.col_offset].decode(errors="replace")) + 1


def _named(statement: ast.stmt) -> set[str]:
    """The names that a definition or assignment makes."""
    if isinstance(statement, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return {statement.name}
    found = (node for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
    return {node.id for node in found}


def _description(following: ast.stmt | None) -> str:
    """The text of a string that stands alone after the alias."""
    match following:
        case ast.Expr(value=ast.Constant(value=str(text))):
            return inspect.cleandoc(text).strip()
    return ""


def _syntax_problem(file: str, error: SyntaxError | ValueError) -> Problem:
    if not isinstance(error, SyntaxError):
        return Problem(file, 1, 1, f"the file is no Python source: {error}")
    starts_type = (error.text or "").lstrip().startswith("type ")
    hint = "`type X = …` needs Python 3.12; write `X: TypeAlias = …`" if starts_type else ""
    return Problem(file, error.lineno or 1, error.offset or 1, f"syntax error: {error.msg}", hint)
