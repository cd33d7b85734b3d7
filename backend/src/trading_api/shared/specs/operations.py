"""Walks the operations of an OpenAPI document."""

from collections.abc import Iterator

from trading_api.shared.specs.canonical import Json

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def operations(document: Json) -> Iterator[Json]:
    """Every operation object of `document`."""
    for path in document.get("paths", {}).values():
        yield from (path[method] for method in METHODS if method in path)
