"""Values by example: one of a JSON Schema, for people."""

from collections.abc import Iterable, Mapping
from typing import Any

from trading_api.shared.specs.canonical import Json

_PLAIN = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_FORMATS = {"date-time": "2024-01-02T14:30:00Z", "date": "2024-01-02", "uuid": "00000000-0000-4000-8000-000000000000"}
_MAX_DEPTH = 6


def name_of(schema: Mapping[str, Any]) -> str | None:
    """The component that `schema` refers to, if it is a reference."""
    reference = schema.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None


def in_order(members: Iterable[str]) -> list[str]:
    """The members of an object as pages show them, whatever their order in the document: what tells it apart first."""
    return sorted(members, key=lambda name: (name != "type", name))


def example(schema: Mapping[str, Any], schemas: Mapping[str, Json], depth: int = 0) -> object:
    """A value of `schema`: the one it gives as an example, or one of its shape. `schemas` are the components."""
    if "const" in schema:
        return schema["const"]
    for key in ("examples", "enum"):
        if schema.get(key):
            return schema[key][0]
    name = name_of(schema)
    if name:
        return example(schemas.get(name, {}), schemas, depth + 1) if depth < _MAX_DEPTH else None
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            return example(schema[key][0], schemas, depth)
    return _shaped(schema, schemas, depth)


def _shaped(schema: Mapping[str, Any], schemas: Mapping[str, Json], depth: int) -> object:
    kind = schema.get("type", "object")
    if kind == "object":
        members: Mapping[str, Json] = schema.get("properties", {})
        return {name: example(members[name], schemas, depth) for name in in_order(members) if _is_shown(name, schema)}
    if kind == "array":
        return [example(schema["items"], schemas, depth)] if "items" in schema else []
    return _FORMATS.get(schema.get("format", ""), _PLAIN.get(kind))


def _is_shown(name: str, schema: Mapping[str, Any]) -> bool:
    """Whether an example shows a member: those that must be there, and those that give an example themselves."""
    return name in schema.get("required", ()) or bool(schema["properties"][name].get("examples"))
