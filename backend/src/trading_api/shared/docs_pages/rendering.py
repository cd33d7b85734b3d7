"""Renders the pages. What that takes is imported by the first page, not by the start of a server."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from trading_api.shared.docs_pages.assets import digest
from trading_api.shared.specs.canonical import Json

if TYPE_CHECKING:
    from jinja2 import Environment


def openapi_page(title: str, root: str) -> str:
    """Swagger UI for `{root}/openapi.json`."""
    return _render("swagger.html.j2", root, title=title, document_url=f"{root}/openapi.json")


def asyncapi_page(document: Json, root: str) -> str:
    """`document`, which is at `{root}/ws/asyncapi.json`, for people."""
    from trading_api.shared.docs_pages.asyncapi_page import page_of

    urls = {"document_url": f"{root}/ws/asyncapi.json", "docs_url": f"{root}/docs"}
    return _render("asyncapi.html.j2", root, page=page_of(document), **urls)


def _render(template: str, root: str, **values: object) -> str:
    def asset(name: str) -> str:
        return f"{root}/docs/{name}?v={digest(name)}"

    return _environment().get_template(template).render(asset=asset, **values)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader(__package__, "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
