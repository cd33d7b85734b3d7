"""The components of a contract under their Python names: those of both documents, and the nameless ones."""

from collections.abc import Mapping
from typing import Any

from trading_api.codegen.clients.naming import class_names, free_name, pascal_case
from trading_api.codegen.clients.references import SCHEMAS, component, reachable, rewrite
from trading_api.codegen.clients.source import ClientSourceError, Json
from trading_api.codegen.clients.tolerant import tolerant

_NOTES = ("title", "description", "examples", "example")


class Components:
    """Schemas by class name. Inline schemas that need a class are added under a name made for them."""

    def __init__(self, openapi: Mapping[str, Any], asyncapi: Mapping[str, Any] | None, stream_roots: Any) -> None:
        """`stream_roots`: the schemas of the AsyncAPI document that streams are typed with."""
        rest = _schemas(openapi)
        stream = reachable(_schemas(asyncapi), stream_roots) if asyncapi else {}
        self._stream_names = {name: _free(name, rest) if _differs(name, rest, stream) else name for name in stream}
        both = {**rest, **{self._stream_names[name]: self._of_stream(schema) for name, schema in stream.items()}}
        self._names = class_names(both)
        self.schemas: dict[str, Json] = {self._names[name]: self._renamed(schema) for name, schema in both.items()}

    def of_rest(self, schema: Mapping[str, Any], name: str) -> Json:
        """A schema of the OpenAPI document, with class names; a class called `name` is made if it needs one."""
        return self._hoisted(self._renamed(schema), name)

    def plain(self, schema: Mapping[str, Any]) -> Json:
        """A schema of the OpenAPI document, with class names, that gets no class of its own."""
        renamed: Json = self._renamed(schema)
        return renamed

    def of_stream(self, schema: Mapping[str, Any], name: str) -> Json:
        """The same for a schema of the AsyncAPI document."""
        return self._hoisted(self._renamed(self._of_stream(schema)), name)

    def tolerant(self, received: Any) -> dict[str, Json]:
        """Every schema, open, by name. `received` holds the schemas of what a server sends."""
        return tolerant(dict(sorted(self.schemas.items())), reachable(self.schemas, received))

    def _of_stream(self, schema: Any) -> Any:
        return rewrite(schema, lambda name: self._stream_names[name])

    def _renamed(self, schema: Any) -> Any:
        return rewrite(schema, self._class_name)

    def _class_name(self, name: str) -> str:
        if name not in self._names:
            raise ClientSourceError(SCHEMAS + name, "this reference leads nowhere")
        return self._names[name]

    def _hoisted(self, schema: Json, name: str) -> Json:
        if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
            return {**schema, "items": self._hoisted(dict(schema["items"]), f"{name}Item")}
        if component(schema) is not None or not _needs_class(schema):
            return schema
        free = _free(pascal_case(name), self.schemas)
        self.schemas[free] = schema
        return {"$ref": f"#/components/schemas/{free}"}


def _needs_class(schema: Json) -> bool:
    union = any(key in schema for key in ("oneOf", "allOf"))
    enum = "enum" in schema or "const" in schema
    return union or enum or "properties" in schema or len(_branches(schema)) > 1


def _branches(schema: Json) -> list[Any]:
    return [branch for branch in schema.get("anyOf", ()) if branch != {"type": "null"}]


def _schemas(document: Mapping[str, Any] | None) -> dict[str, Json]:
    return dict((document or {}).get("components", {}).get("schemas", {}))


def _differs(name: str, rest: Mapping[str, Json], stream: Mapping[str, Json]) -> bool:
    """Whether two components of one name are different things, words aside."""
    return name in rest and _bare(rest[name]) != _bare(stream[name])


def _bare(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _bare(item) for key, item in value.items() if key not in _NOTES or isinstance(item, Mapping)}
    return [_bare(item) for item in value] if isinstance(value, list) else value


def _free(name: str, taken: Mapping[str, Any]) -> str:
    return name if name not in taken else free_name(f"{name}OfStream", taken)
