"""Laws of the generator, over made-up declarations."""

import ast
import inspect
import keyword
import string
import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.heavy import HEAVY

from trading_api.shared.ws.generation.declarations import read_declarations
from trading_api.shared.ws.generation.formatting import format_files, with_long_lines_allowed
from trading_api.shared.ws.generation.rendering import render
from trading_api.shared.ws.generation.source import Source, WsFolder
from trading_api.shared.ws.generation.stamp import stamped

FOLDER = WsFolder(Path("/nowhere/shop/modules/till/ws/v1"), "shop.modules.till.ws.v1")
HEAD = """
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias
import collections.abc as abc
import decimal
from trading_api.shared.ws import WsRouter
"""
LEAVES = ["int", "Decimal", "None", "abc.Sized", "decimal.Context", "Literal['int', -1]", "Annotated[str, 'x', (1,)]"]
TYPES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: st.one_of(
        inner.map(lambda one: f"list[{one}]"),
        st.tuples(inner, inner).map(lambda two: f"dict[{two[0]}, {two[1]}]"),
        st.tuples(inner, inner).map(lambda two: f"int | {two[0]} | {two[1]}"),
        inner.map(lambda one: f"abc.Callable[[{one}], {one}]"),
        inner.map(repr),
    ),
    max_leaves=6,
)


def is_free(name: str) -> bool:
    return not keyword.iskeyword(name.lower())


NAMES = st.from_regex(r"[A-Z][a-z]{1,8}[0-9]{0,3}", fullmatch=True).filter(is_free)
TEXTS = st.text(st.characters(blacklist_characters="\r\0"), max_size=300)


def evaluate(text: str) -> object:
    names: dict[str, object] = {}
    exec(HEAD, names)
    return eval(text, names)


def without_quotes(text: str) -> str:
    """A type of `TYPES` with its quotes removed, at every depth, but for those that are not around a type."""
    node = ast.parse(text, mode="eval").body

    class Unquote(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
            return node if ast.unparse(node.value) in ("Literal", "Annotated") else self.generic_visit(node)

        def visit_Constant(self, node: ast.Constant) -> ast.AST:
            return self.visit(ast.parse(node.value, mode="eval").body) if isinstance(node.value, str) else node

    return ast.unparse(Unquote().visit(node))


@given(st.dictionaries(NAMES, st.tuples(TYPES, TYPES), min_size=1, max_size=4))
def test_W01_names_and_arguments_survive_the_way_into_the_generated_class(found: dict[str, tuple[str, str]]) -> None:
    lines = (f"{name}WsRouter: TypeAlias = WsRouter[{one}, {two}]\n" for name, (one, two) in found.items())
    source = Source(FOLDER, (HEAD + "".join(lines)).encode())
    declarations, problems = read_declarations(source)
    assert problems == ()
    files = render(FOLDER, declarations)
    assert len(files) == len(found) + 1
    for declaration in declarations:
        names: dict[str, object] = {"__name__": "made"}
        exec(files[f"{declaration.stem}.py"], names)
        made = names[declaration.alias]
        wanted = found[declaration.alias.removesuffix("WsRouter")]
        types = (vars(made)["request_type"], vars(made)["data_type"])
        assert list(map(str, types)) == [str(evaluate(without_quotes(text))) for text in wanted]


@given(TEXTS)
def test_W01_any_text_can_describe_a_route(text: str) -> None:
    declared = f"{HEAD}\nOrdersWsRouter: TypeAlias = WsRouter[int, int]\n{text!a}\n"
    source = Source(FOLDER, declared.encode())
    declarations, problems = read_declarations(source)
    assert problems == ()
    wanted = inspect.cleandoc(text).strip()
    assert declarations[0].description == wanted
    files = render(FOLDER, declarations)
    stamped(files, source, formatted=False)
    tree = ast.parse(files["orders.py"].encode())
    made = next(node for node in tree.body if isinstance(node, ast.ClassDef))
    given_back = ast.get_docstring(made) or ""
    assert given_back.split() == (wanted or "The route `orders`.").split()


@pytest.mark.slow
@given(st.dictionaries(NAMES, st.tuples(TYPES, TYPES), max_size=4), st.text(string.printable[:95], max_size=200))
@HEAVY
def test_G07_what_is_generated_is_formatted_and_stays_so(found: dict[str, tuple[str, str]], text: str) -> None:
    lines = (f"{name}WsRouter: TypeAlias = WsRouter[{a}, {b}]\n{text!r}\n" for name, (a, b) in found.items())
    source = Source(FOLDER, textwrap.dedent(HEAD + "".join(lines)).encode())
    declarations, problems = read_declarations(source)
    assert problems == ()
    files = format_files(render(FOLDER, declarations))
    files = {name: with_long_lines_allowed(file) for name, file in files.items()}
    files = stamped(files, source, formatted=True)
    assert format_files(files) == files
