"""The type arguments of a declaration, as expressions that can stand in another file."""

import ast
import builtins
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from trading_api.shared.ws.generation.bindings import Bindings, Import, name_chain
from trading_api.shared.ws.generation.existence import SourceTree

_TYPING = ("typing.", "typing_extensions.")
_TYPE_NODES = (ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.Constant, ast.BinOp, ast.BitOr)
# What stands in `Literal[-1]` and `Annotated[int, Field(gt=-1)]`.
_VALUE_NODES = (ast.UnaryOp, ast.USub, ast.Call, ast.keyword, ast.Dict)
_ALLOWED = (*_TYPE_NODES, *_VALUE_NODES, ast.expr_context)


class ArgumentError(Exception):
    """An argument that cannot be taken over: where, and why."""

    def __init__(self, node: ast.expr, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.node = node
        self.reason = reason
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Argument:
    """A type as the generated file writes it, and the imports that this takes."""

    text: str
    imports: tuple[Import, ...]


def unquoted(node: ast.expr) -> ast.expr:
    """The expression in a quoted type, placed where the quotes are; `node` itself where there are none."""
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return node
    try:
        inner = ast.parse(node.value.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        raise ArgumentError(node, f"the quoted type {node.value!r} is no Python expression") from error
    for part in ast.walk(inner):
        ast.copy_location(part, node)
    return unquoted(inner)


def without_quotes(node: ast.expr) -> ast.expr:
    """What is quoted, or `node` itself where that is no expression."""
    try:
        return unquoted(node)
    except ArgumentError:
        return node


class ArgumentReader:
    """Reads arguments of one declaration file. `reserved` are the names that a generated file uses itself."""

    def __init__(self, bindings: Bindings, tree: SourceTree, reserved: frozenset[str]) -> None:
        self._bindings = bindings
        self._tree = tree
        self._reserved = reserved

    def read(self, node: ast.expr) -> Argument:
        """The argument. Raises ArgumentError for what cannot be understood or does not exist."""
        expression = _Unquoter(self._bindings).visit(node)
        for part in ast.walk(expression):
            if not isinstance(part, _ALLOWED):
                raise ArgumentError(node, f"{ast.unparse(node)!r} is no type", "name a class, or build it from classes")
        imports = dict.fromkeys(found for chain in _chains(expression) for found in self._imports(chain))
        return Argument(ast.unparse(_Renamer(self._renamed).visit(expression)), tuple(map(self._as_emitted, imports)))

    def _imports(self, chain: ast.expr) -> Iterator[Import]:
        """The imports that `a.b.c` takes: none for a builtin."""
        names = name_chain(chain)
        assert names, "_chains yields such expressions only"
        binding = self._bindings.names.get(names[0])
        if binding is None:
            if not hasattr(builtins, names[0]):
                raise ArgumentError(chain, f"the name {names[0]!r} is not defined", "import it, or define it")
            return
        if not binding.imports and not binding.at_run_time:
            raise ArgumentError(chain, f"{names[0]!r} exists for type checkers only", "define it for run time too")
        found = _needed(binding.imports, names) or [Import(self._bindings.package, names[0], names[0])]
        self._check(chain, found[0], names)
        yield from found

    def _check(self, chain: ast.expr, found: Import, names: tuple[str, ...]) -> None:
        if found.is_plain and self._emitted(found.bound) != found.bound:
            raise ArgumentError(chain, f"the name {found.bound!r} has a meaning in generated code", "import it `as`")
        missing = self._tree.missing(".".join((found.target, *names[1:])))
        if missing:
            raise ArgumentError(chain, missing)

    def _as_emitted(self, found: Import) -> Import:
        return Import(found.module, found.name, self._emitted(found.bound))

    def _renamed(self, name: str) -> str:
        return self._emitted(name) if name in self._bindings.names else name

    def _emitted(self, name: str) -> str:
        """The name in the generated file. A class body would mangle a leading `__`."""
        emitted = name if not name.startswith("__") or name.endswith("__") else f"{name.strip('_')}_"
        while emitted in self._reserved or (emitted != name and emitted in self._bindings.names):
            emitted += "_"
        return emitted


def _needed(imports: list[Import], names: tuple[str, ...]) -> list[Import]:
    """Of several plain imports below one package, the one that leads furthest along `names`; else all."""
    leading = [found for found in imports if found.is_plain and ".".join(names).startswith(f"{found.module}.")]
    return [max(leading, key=lambda found: len(found.module))] if leading else imports


def _chains(node: ast.AST) -> Iterator[ast.expr]:
    """The outermost names and dotted names of an expression."""
    if isinstance(node, ast.Name | ast.Attribute) and name_chain(node):
        yield node
    else:
        for child in ast.iter_child_nodes(node):
            yield from _chains(child)


class _Unquoter(ast.NodeTransformer):
    """Replaces quoted types by what they quote; the texts of `Literal` and `Annotated` are no types."""

    def __init__(self, bindings: Bindings) -> None:
        self._bindings = bindings

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        inner = unquoted(node)
        if inner is node and node.value not in (None, ...):
            raise ArgumentError(node, f"{node.value!r} is no type")
        expression: ast.expr = inner if inner is node else self.visit(inner)
        return expression

    def visit_Call(self, node: ast.Call) -> ast.expr:
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        special = self._special(node.value)
        if special == "Literal":
            return node
        if special == "Annotated" and isinstance(node.slice, ast.Tuple) and node.slice.elts:
            node.slice.elts[0] = self.visit(node.slice.elts[0])
            return node
        return self.generic_visit(node)  # type: ignore[return-value]

    def _special(self, node: ast.expr) -> str:
        dotted = self._bindings.dotted(node) or ""
        return dotted.rpartition(".")[2] if dotted.startswith(_TYPING) else ""


class _Renamer(ast.NodeTransformer):
    """Gives the names of an expression their names in the generated file."""

    def __init__(self, renamed: Callable[[str], str]) -> None:
        self._renamed = renamed

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.copy_location(ast.Name(self._renamed(node.id), node.ctx), node)
