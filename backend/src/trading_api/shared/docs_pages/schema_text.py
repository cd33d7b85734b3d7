"""JSON Schemas in words and by example, for people."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trading_api.shared.specs.canonical import Json

_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "pattern": "matches {}",
    "default": "default {}",
}
_PLAIN = {"string": "text", "integer": 1, "number": 1.5, "boolean": True, "null": None}
_FORMATS = {"date-time": "2024-01-02T14:30:00Z", "date": "2024-01-02", "uuid": "00000000-0000-4000-8000-000000000000"}
_MAX_DEPTH = 6


@dataclass(frozen=True, slots=True)
class TypePart:
    """A piece of a type's text; `anchor` is where its schema stands on the page."""

    text: str
    anchor: str | None = None


def schema_anchor(name: str) -> str:
    """Where a schema stands on a page."""
    return f"schema-{name}"


def name_of(schema: Mapping[str, Any]) -> str | None:
    """The component that `schema` refers to, if it is a reference."""
    reference = schema.get("$ref")
    return reference.rpartition("/")[2] if isinstance(reference, str) else None


def in_order(members: Iterable[str]) -> list[str]:
    """The members of an object as pages show them, whatever their order in the document: what tells it apart first."""
    return sorted(members, key=lambda name: (name != "type", name))


def type_parts(schema: Mapping[str, Any]) -> tuple[TypePart, ...]:
    """The type of `schema`: `array of Bar`, `number (decimal) or null`."""
    name = name_of(schema)
    if name:
        return (TypePart(name, schema_anchor(name)),)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return _joined(schema[key], " and " if key == "allOf" else " or ")
    if "const" in schema or "enum" in schema:
        return (TypePart(" or ".join(repr(value) for value in schema.get("enum", [schema.get("const")]))),)
    return _plain(schema)


def bounds(schema: Mapping[str, Any]) -> str:
    """The limits on values of `schema`, in words."""
    return ", ".join(text.format(schema[key]) for key, text in _BOUNDS.items() if key in schema)


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


def _plain(schema: Mapping[str, Any]) -> tuple[TypePart, ...]:
    kind = schema.get("type", "anything")
    if kind == "array":
        return (TypePart("array of "), *type_parts(schema.get("items", {})))
    more = schema.get("additionalProperties")
    if kind == "object" and isinstance(more, Mapping):
        return (TypePart("object of "), *type_parts(more))
    words = " or ".join(kind) if isinstance(kind, list) else str(kind)
    return (TypePart(f"{words} ({schema['format']})" if "format" in schema else words),)


def _joined(schemas: Iterable[Mapping[str, Any]], word: str) -> tuple[TypePart, ...]:
    def parts() -> Iterator[TypePart]:
        for index, schema in enumerate(schemas):
            if index:
                yield TypePart(word)
            yield from type_parts(schema)

    return tuple(parts())
