"""TypeScript types of schemas."""

import json
import re
from collections.abc import Mapping
from typing import Any

from trading_api.codegen.clients.references import component
from trading_api.codegen.clients.source import Json

_SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}
_IDENTIFIER = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")


def type_of(schema: Mapping[str, Any]) -> str:
    """The type of JSON that `schema` allows. What it does not say is `unknown`."""
    name = component(schema)
    if name is not None:
        return name
    for key, joint in (("anyOf", " | "), ("oneOf", " | "), ("allOf", " & ")):
        if key in schema:
            return joint.join(dict.fromkeys(_grouped(type_of(branch)) for branch in schema[key])) or "never"
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    return _by_type(schema)


def object_type(schema: Mapping[str, Any], indent: str = "") -> str:
    """The members of an object between braces, each with its description."""
    required = set(schema.get("required", ()))
    inner = indent + "  "
    members = [
        f"{comment(field, inner)}{inner}{key(name)}{'' if name in required else '?'}: {type_of(field)};"
        for name, field in schema.get("properties", {}).items()
    ]
    return "\n".join(["{", *members, f"{indent}}}"]) if members else "Record<string, never>"


def key(name: str) -> str:
    """A member's name, quoted if it must be."""
    return name if _IDENTIFIER.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def comment(schema: Mapping[str, Any], indent: str = "") -> str:
    """The description as a comment with a line end, or nothing."""
    text = " ".join(str(schema.get("description", "")).split()).replace("*/", "*\\/")
    marks = [text] if text else []
    if schema.get("deprecated"):
        marks.append("@deprecated")
    return f"{indent}/** {' '.join(marks)} */\n" if marks else ""


def _by_type(schema: Mapping[str, Any]) -> str:
    type_ = schema.get("type")
    if isinstance(type_, list):
        return " | ".join(_by_type({**schema, "type": item}) for item in type_)
    if type_ == "array":
        return _array(schema)
    if type_ == "object" or "properties" in schema:
        return _object(schema)
    if type_ == "string" and (schema.get("format") == "binary" or schema.get("contentMediaType")):
        return "Blob"
    return _SIMPLE.get(str(type_), "unknown")


def _array(schema: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(type_of(item) for item in schema['prefixItems'])}]"
    items = schema.get("items")
    return f"Array<{type_of(items) if isinstance(items, Mapping) else 'unknown'}>"


def _object(schema: Mapping[str, Any]) -> str:
    if schema.get("properties"):
        return " ".join(object_type({**schema, "properties": _bare(schema["properties"])}).split())
    values = schema.get("additionalProperties")
    return f"Record<string, {type_of(values) if isinstance(values, Mapping) else 'unknown'}>"


def _bare(properties: Mapping[str, Any]) -> Json:
    """Without descriptions, for one line."""
    return {name: {k: v for k, v in field.items() if k != "description"} for name, field in properties.items()}


def _grouped(text: str) -> str:
    return f"({text})" if " & " in text or " | " in text else text
