"""Python annotations of schemas that are written out in a client, rather than in its models."""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading_api.codegen.clients.references import component
from trading_api.codegen.clients.source import ClientSourceError

_SIMPLE = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_FORMATS = {
    ("string", "date-time"): "datetime.datetime",
    ("string", "date"): "datetime.date",
    ("string", "uuid"): "uuid.UUID",
    ("string", "binary"): "bytes",
    ("number", "decimal"): "decimal.Decimal",
    ("string", "decimal"): "decimal.Decimal",
}
MODELS = "models"
FILE = "File | bytes"


def annotation(schema: Mapping[str, Any], where: str) -> str:
    """The type of a value. Raises ClientSourceError, naming `where`, for what has no type in Python."""
    name = component(schema)
    if name is not None:
        return f"{MODELS}.{name}"
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return union([annotation(branch, where) for branch in schema[key]])
    if "enum" in schema or "const" in schema:
        return _literal(list(schema.get("enum", [schema.get("const")])))
    return _by_type(schema, where)


def union(types: list[str]) -> str:
    """`A | B`, each once, None last."""
    parts = list(dict.fromkeys(part for text in types for part in _parts(text)))
    return " | ".join(sorted(parts, key=lambda part: part == "None"))


def optional(text: str) -> str:
    """The type, or None."""
    return union([text, "None"])


def _parts(text: str) -> list[str]:
    return [text] if "[" in text else text.split(" | ")


def _literal(values: list[Any]) -> str:
    """The values that are known, and others of the type: a newer server may have more."""
    known = [value for value in values if isinstance(value, str | int)]
    kinds = sorted({type(value).__name__ for value in known})
    return " | ".join([f"Literal[{', '.join(map(repr, known))}]", *kinds]) if known else "Any"


def _by_type(schema: Mapping[str, Any], where: str) -> str:
    type_ = schema.get("type")
    if isinstance(type_, list):
        return union([_by_type({**schema, "type": item}, where) for item in type_])
    if type_ == "array":
        items = schema.get("items")
        return f"list[{annotation(items, where)}]" if isinstance(items, Mapping) else "list[Any]"
    if type_ == "object":
        values = schema.get("additionalProperties")
        return f"dict[str, {annotation(values, where)}]" if isinstance(values, Mapping) else "dict[str, Any]"
    if type_ is None:
        return "Any"
    if type_ not in _SIMPLE:
        raise ClientSourceError(where, f"unknown type {type_!r}")
    return _FORMATS.get((type_, schema.get("format", "")), _SIMPLE[type_])


def imports(text: str, *, mapping: bool) -> list[str]:
    """The imports of the standard library that annotations in `text` need, sorted."""
    modules = [f"import {name}" for name in ("datetime", "decimal", "uuid") if re.search(rf"\b{name}\.", text)]
    typing = [name for name in ("Any", "Literal") if re.search(rf"\b{name}\b", text)]
    lines = ["from collections.abc import Mapping"] if mapping else []
    return [*modules, *lines, *([f"from typing import {', '.join(typing)}"] if typing else [])]


def default_text(value: object) -> str:
    """A default for people."""
    return str(value) if isinstance(value, Decimal) else repr(value)
