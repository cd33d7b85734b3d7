"""Recognises the statements that may declare a router."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from trading_api.shared.ws.generation.arguments import without_quotes
from trading_api.shared.ws.generation.bindings import Bindings, is_dead
from trading_api.shared.ws.generation.names import SUFFIX

FRAMEWORK = __name__.removesuffix(".generation.alias")
_MARKERS = {"typing.TypeAlias", "typing_extensions.TypeAlias"}
_ROUTERS = {f"{FRAMEWORK}.WsRouter", f"{FRAMEWORK}.declaration.WsRouter"}
_TYPE_STATEMENT = getattr(ast, "TypeAlias", ())
"""The statement `type X = …`, where this Python has it."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A name given to something. `is_type`: the statement says that it is a type, whose quotes are then removed."""

    name: str
    value: ast.expr
    is_type: bool
    annotation: ast.expr | None
    node: ast.stmt


def read_alias(statement: ast.stmt, bindings: Bindings) -> Alias | None:
    """The alias that a statement makes; None if it is another statement, or makes several."""
    if isinstance(statement, ast.AnnAssign):
        return _annotated(statement, bindings)
    if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and isinstance(statement.targets[0], ast.Name):
        return Alias(statement.targets[0].id, statement.value, False, None, statement)
    if isinstance(statement, _TYPE_STATEMENT) and not getattr(statement, "type_params", ()):
        name: ast.Name = getattr(statement, "name")  # noqa: B009 - Python 3.11 has no such class
        value: ast.expr = getattr(statement, "value")  # noqa: B009
        return Alias(name.id, without_quotes(value), True, None, statement)
    return None


def routed(alias: Alias, bindings: Bindings) -> ast.Subscript | None:
    """The `WsRouter[…]` that an alias stands for, or None."""
    value = alias.value
    return value if isinstance(value, ast.Subscript) and is_router(value.value, bindings) else None


def is_router(node: ast.AST, bindings: Bindings) -> bool:
    """Whether `node` names the framework's WsRouter, or would if it were imported."""
    if not isinstance(node, ast.Name | ast.Attribute):
        return False
    dotted = bindings.dotted(node)
    return dotted in _ROUTERS or (dotted == SUFFIX and SUFFIX not in bindings.names)


def mentions(statement: ast.AST, bindings: Bindings) -> Iterator[ast.expr]:
    """Every place that names WsRouter, but for code that never runs."""
    if is_router(statement, bindings):
        assert isinstance(statement, ast.expr), "is_router says so"
        yield statement
        return
    dead = statement.body if isinstance(statement, ast.If) and is_dead(statement.test) else []
    for child in ast.iter_child_nodes(statement):
        if child not in dead:
            yield from mentions(child, bindings)


def _annotated(statement: ast.AnnAssign, bindings: Bindings) -> Alias | None:
    if not isinstance(statement.target, ast.Name) or statement.value is None:
        return None
    is_type = bindings.dotted(without_quotes(statement.annotation)) in _MARKERS
    value = without_quotes(statement.value) if is_type else statement.value
    return Alias(statement.target.id, value, is_type, statement.annotation, statement)
