"""JSON Schemas in words, for people."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trading_api.shared.specs.examples import name_of

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


@dataclass(frozen=True, slots=True)
class TypePart:
    """A piece of a type's text; `anchor` is where its schema stands on the page."""

    text: str
    anchor: str | None = None


def schema_anchor(name: str) -> str:
    """Where a schema stands on a page."""
    return f"schema-{name}"


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
