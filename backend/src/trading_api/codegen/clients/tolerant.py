"""Makes schemas open: what a newer server may add must not break an older client.

Enumerations become open ones through the runtime's base classes. A constant becomes an enumeration of one, unless
it tells the branches of a union apart. A type that is no object and holds itself holds anything instead.
An object that a server sends may have more fields. Formats
that only narrow a string (email, uri) are left out.
"""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from trading_api.codegen.clients.references import component, components_of
from trading_api.codegen.clients.source import Json

_FORMATS = frozenset({"date-time", "date", "time", "duration", "uuid", "decimal", "binary"})
_UNIONS = ("oneOf", "anyOf")
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}


def tolerant(schemas: Mapping[str, Json], received: Container[str]) -> dict[str, Json]:
    """The same components, open. `schemas` are left as they are; `received` are those that a server sends."""
    branches = {name for schema in schemas.values() for name in _branches(schema)}
    aliases = {name: schema for name, schema in schemas.items() if not _is_class(schema)}
    opened = {name: _open(schema, name in branches) for name, schema in schemas.items()}
    cut = {name: _cut(schema, _round_trip(name, aliases)) for name, schema in opened.items()}
    return {name: _extensible(schema) if name in received else schema for name, schema in cut.items()}


def _extensible(value: Any) -> Any:
    """The same, where objects that may have no more fields may have some."""
    if isinstance(value, Mapping):
        kept = {key: item for key, item in value.items() if (key, item) != ("additionalProperties", False)}
        return {key: _extensible(item) for key, item in kept.items()}
    return [_extensible(item) for item in value] if isinstance(value, list) else value


def _is_class(schema: Json) -> bool:
    """Whether it becomes a class, which may refer to itself; aliases may not, says mypy."""
    return "properties" in schema or "allOf" in schema or "enum" in schema


def _round_trip(name: str, aliases: Mapping[str, Json]) -> set[str]:
    """The aliases through which the alias `name` leads back to itself."""
    if name not in aliases:
        return set()
    return {other for other in aliases if _leads(name, other, aliases) and _leads(other, name, aliases)}


def _leads(start: str, end: str, aliases: Mapping[str, Json]) -> bool:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for name in components_of(aliases.get(waiting.pop(), {})):
            if name == end:
                return True
            if name not in seen:
                seen.add(name)
                waiting.append(name)
    return False


def _cut(value: Any, names: set[str]) -> Any:
    """The same, with anything allowed where one of `names` stood."""
    if not names:
        return value
    if isinstance(value, Mapping):
        return {} if component(value) in names else {key: _cut(item, names) for key, item in value.items()}
    return [_cut(item, names) for item in value] if isinstance(value, list) else value


def _branches(value: Any) -> Iterable[str]:
    """Components that are branches of a union."""
    if isinstance(value, Mapping):
        for key in _UNIONS:
            branches = [branch for branch in value.get(key, ()) if isinstance(branch, Mapping)]
            names = [name for name in map(component, branches) if name]
            if len(names) > 1:
                yield from names
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _branches(item)


def _open(schema: Any, keep_constants: bool) -> Any:
    if isinstance(schema, list):
        return [_open(item, keep_constants) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: _open_entry(key, item, keep_constants) for key, item in schema.items() if not _is_note(key, item)}
    if found.get("type") == "string" and found.get("format") not in {None, *_FORMATS}:
        del found["format"]
    if found.get("contentMediaType") and found.get("type") == "string" and "format" not in found:
        found["format"] = "binary"
    if "const" in found and not keep_constants and not isinstance(found["const"], bool):
        found["enum"] = [found.pop("const")]
    if isinstance(found.get("enum"), list):
        return _open_enum(found)
    return found


def _is_note(key: str, item: Any) -> bool:
    """Titles, which say in other words what the name of the field says, and examples."""
    return (key == "title" and isinstance(item, str)) or key in ("example", "examples")


def _open_entry(key: str, item: Any, keep_constants: bool) -> Any:
    if key == "properties" and isinstance(item, Mapping):
        # Its keys are names of fields, which may be called `enum` or `const`.
        return {name: _open(schema, keep_constants) for name, schema in item.items()}
    if key in ("default", "enum", "const", "required", "mapping", "discriminator"):
        return item
    return _open(item, keep_constants)


def _open_enum(schema: Json) -> Json:
    """An enumeration of one type stays; of several becomes a union; one of fractions or booleans is just its type."""
    values = schema["enum"]
    rest = {key: item for key, item in schema.items() if key not in ("enum", "type")}
    types = sorted({_TYPES.get(type(value), "null") for value in values})
    kinds = [_kind(type_, values) for type_ in types]
    return {**kinds[0], **rest} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def _kind(type_: str, values: list[Any]) -> Json:
    if type_ not in ("string", "integer"):
        return {"type": type_}
    return {"type": type_, "enum": [value for value in values if _TYPES.get(type(value)) == type_]}
