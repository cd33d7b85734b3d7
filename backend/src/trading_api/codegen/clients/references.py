"""References inside a document, and walks over schemas."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from trading_api.codegen.clients.source import ClientSourceError, Json

SCHEMAS = "#/components/schemas/"


def resolve(document: Mapping[str, Any], value: Mapping[str, Any]) -> Json:
    """`value`, or what it refers to. Raises ClientSourceError for a reference that leads nowhere, or round."""
    seen: set[str] = set()
    while "$ref" in value:
        reference = str(value["$ref"])
        if reference in seen:
            raise ClientSourceError(reference, "refers to itself")
        seen.add(reference)
        value = _target(document, reference)
    return dict(value)


def _target(document: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found: Any = document if reference.startswith("#/") else None
    for part in reference[2:].split("/"):
        key = part.replace("~1", "/").replace("~0", "~")
        found = found.get(key) if isinstance(found, Mapping) else None
    if not isinstance(found, Mapping):
        raise ClientSourceError(reference, "this reference leads nowhere")
    return found


def component(schema: Mapping[str, Any]) -> str | None:
    """The name of the component that `schema` refers to."""
    reference = schema.get("$ref")
    return reference.removeprefix(SCHEMAS) if isinstance(reference, str) and reference.startswith(SCHEMAS) else None


def rewrite(value: Any, rename: Callable[[str], str]) -> Any:
    """A copy in which references to components, also those of discriminators, have new names."""
    if isinstance(value, Mapping):
        return {key: _rewrite_entry(key, item, rename) for key, item in value.items()}
    if isinstance(value, list):
        return [rewrite(item, rename) for item in value]
    return value


def _rewrite_entry(key: str, item: Any, rename: Callable[[str], str]) -> Any:
    if key == "$ref" and isinstance(item, str):
        return _renamed(item, rename)
    if key == "mapping" and isinstance(item, Mapping):
        return {tag: _renamed(name, rename) if isinstance(name, str) else name for tag, name in item.items()}
    return rewrite(item, rename)


def _renamed(reference: str, rename: Callable[[str], str]) -> str:
    name = component({"$ref": reference})
    return reference if name is None else SCHEMAS + rename(name)


def components_of(value: Any) -> Iterator[str]:
    """Every component that `value` refers to, with repeats."""
    if isinstance(value, Mapping):
        name = component(value)
        if name is not None:
            yield name
        for item in value.values():
            yield from components_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from components_of(item)


def reachable(schemas: Mapping[str, Any], roots: Any) -> dict[str, Json]:
    """The components that `roots` refer to, directly or through others."""
    found: dict[str, Json] = {}
    waiting = list(components_of(roots))
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        if name not in schemas:
            raise ClientSourceError(SCHEMAS + name, "this reference leads nowhere")
        found[name] = schemas[name]
        waiting.extend(components_of(schemas[name]))
    return found
