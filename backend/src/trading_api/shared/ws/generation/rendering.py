"""The text of the generated files of one version of a module."""

import textwrap
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trading_api.shared.ws.generation.alias import FRAMEWORK
from trading_api.shared.ws.generation.bindings import Import
from trading_api.shared.ws.generation.declarations import Declaration
from trading_api.shared.ws.generation.imports import LINE_LENGTH, import_lines, natural
from trading_api.shared.ws.generation.source import WsFolder

_INDENT = 4
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    undefined=StrictUndefined,
    autoescape=False,  # noqa: S701 - python, not HTML
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)


def render(folder: WsFolder, declarations: Iterable[Declaration]) -> dict[str, str]:
    """The files by name, `__init__.py` last and still without its stamp."""
    found = tuple(declarations)
    files = {f"{declaration.stem}.py": _render_router(folder, declaration) for declaration in found}
    return {**files, "__init__.py": _render_index(folder, found)}


def _render_router(folder: WsFolder, declaration: Declaration) -> str:
    own = [Import(FRAMEWORK, name, name) for name in ("WsRoute", declaration.delivery)]
    taken = (*declaration.request.imports, *declaration.data.imports)
    doc = _docstring(declaration.description or f"The route `{declaration.route}`.")
    return _render(
        "router.py.j2",
        alias=declaration.alias,
        version=folder.path.name,
        imports=import_lines((*own, *taken), folder.top),
        request=declaration.request.text,
        data=declaration.data.text,
        docstring=doc,
        route=declaration.route,
        delivery=declaration.delivery,
    )


def _render_index(folder: WsFolder, declarations: tuple[Declaration, ...]) -> str:
    package = folder.generated_package
    routers = [Import(f"{package}.{found.stem}", found.alias, found.alias) for found in declarations]
    return _render(
        "__init__.py.j2",
        version=folder.path.name,
        imports=import_lines((*routers, Import(FRAMEWORK, "AnyRoute", "AnyRoute")), folder.top),
        aliases=[found.alias for found in declarations],
        exported=sorted((found.alias for found in declarations), key=natural),
    )


def _render(name: str, **context: object) -> str:
    return _templates.get_template(name).render(context)


def _docstring(text: str) -> str:
    """`text` as it can stand between triple quotes, indented, long lines wrapped."""
    lines = [part for line in text.split("\n") for part in _wrap(line)]
    escaped = "".join(map(_escaped, "\n".join(lines))).replace('"""', '\\"\\"\\"')
    if escaped.endswith('"'):
        escaped = f'{escaped[:-1]}\\"'
    indented = textwrap.indent(escaped, " " * _INDENT).lstrip()
    return f"{indented}\n{' ' * _INDENT}" if len(lines) > 1 else indented


def _escaped(character: str) -> str:
    """The character, or what stands for it in a string literal: no source file can hold a NUL or half a surrogate."""
    plain = (character.isprintable() and character != "\\") or character == "\n"
    return character if plain else character.encode("unicode_escape").decode()


def _wrap(line: str) -> list[str]:
    # Six for the quotes, of which the last line of a docstring bears three and the first three.
    width = LINE_LENGTH - _INDENT - 6
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]
