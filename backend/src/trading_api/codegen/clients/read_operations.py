"""Reads the operations of an OpenAPI document."""

from collections.abc import Iterator, Mapping
from typing import Any

from trading_api.codegen.clients.components import Components
from trading_api.codegen.clients.naming import identifier, unique
from trading_api.codegen.clients.operation import Answer, Body, Operation, Parameter
from trading_api.codegen.clients.python_types import FILE, annotation, default_text, union
from trading_api.codegen.clients.references import resolve
from trading_api.codegen.clients.source import ClientSourceError, Json

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# What a method's body uses or a client's class has, so that no parameter and no method may take the name.
_HELPERS = "Call Request RawBody File models target headers joined json_body form_body multipart_body Literal Any"
_USED = frozenset([*_HELPERS.split(" "), "self", "Json", "Text", "Binary", "Nothing", "datetime", "decimal", "uuid"])
_MEMBERS = frozenset({"aclose", "close", "address"})
_FORMS = {"multipart/form-data": "multipart_body", "application/x-www-form-urlencoded": "form_body"}
_BINARY = {"type": "string", "format": "binary"}
# Headers that HTTP itself is made of; OpenAPI says to ignore parameters of these names.
_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})


def read_operations(document: Mapping[str, Any], components: Components) -> list[Operation]:
    """Every operation, in the order of the document. Raises ClientSourceError for one that cannot be called."""
    found = [
        _Reader(document, components, f"{method.upper()} {path}", item[method], item).read(method.upper(), path)
        for path, item in document.get("paths", {}).items()
        for method in _METHODS
        if method in item
    ]
    unique("operations", (operation.name for operation in found))
    return found


class _Reader:
    """Reads one operation."""

    def __init__(self, document: Mapping[str, Any], components: Components, where: str, spec: Json, item: Json) -> None:
        self._document = document
        self._components = components
        self._where = where
        self._spec = spec
        self._item = item
        self._id = str(spec.get("operationId") or where)

    def read(self, method: str, path: str) -> Operation:
        """The operation."""
        parameters = tuple(self._parameters())
        body = self._body({parameter.name for parameter in parameters})
        unique(self._where, (parameter.name for parameter in (*parameters, *(body.fields if body else ()))))
        answers = tuple(self._answers())
        return Operation(
            id=self._id,
            name=identifier(self._id, _MEMBERS),
            method=method,
            path=path,
            parameters=parameters,
            body=body,
            answers=answers,
            returns=union([answer.annotation for answer in answers]),
            description=str(self._spec.get("description") or self._spec.get("summary") or self._id),
            errors=tuple(self._errors()),
            deprecated=bool(self._spec.get("deprecated")),
        )

    def _parameters(self) -> Iterator[Parameter]:
        specs: dict[tuple[str, str], Json] = {}
        for spec in (*self._item.get("parameters", ()), *self._spec.get("parameters", ())):
            resolved = resolve(self._document, spec)
            specs[resolved["in"], resolved["name"]] = resolved
        names: set[str] = set()
        for (place, name), spec in specs.items():
            if place == "header" and name.lower() in _IGNORED_HEADERS:
                continue
            parameter = self._parameter(place, name, spec, _USED | names)
            names.add(parameter.name)
            yield parameter

    def _parameter(self, place: str, name: str, spec: Json, taken: frozenset[str]) -> Parameter:
        where = f"{self._where}: parameter {name}"
        if place == "cookie" or "schema" not in spec:
            raise ClientSourceError(where, "cookies and parameters with a media type are not supported")
        schema = self._components.plain(_without_null(spec["schema"]))
        text = annotation(schema, where)
        listed = text.startswith("list[")
        style = spec.get("style", "form" if place == "query" else "simple")
        if style not in ("form", "simple") or text.startswith("dict["):
            raise ClientSourceError(where, f"style {style!r} of an object or list is not supported")
        return Parameter(
            wire_name=name,
            name=identifier(name, taken),
            place=place,
            annotation=text,
            required=bool(spec.get("required")),
            description=_described(spec, schema),
            comma=listed and (place != "query" or not spec.get("explode", True)),
            schema=schema,
        )

    def _body(self, taken: set[str]) -> Body | None:
        spec = self._spec.get("requestBody")
        if spec is None:
            return None
        resolved = resolve(self._document, spec)
        kind, media = _chosen(resolved.get("content", {}), self._where)
        schema, required = media.get("schema", {}), bool(resolved.get("required"))
        if kind in _FORMS:
            return Body(_FORMS[kind], fields=tuple(self._fields(schema, required, taken)), content_type=kind)
        name = identifier("body", _USED | taken)
        description = str(resolved.get("description") or "")
        if _is_json(kind):
            typed = self._components.of_rest(schema, f"{self._id} Request")
            return Body(
                "json_body", annotation(typed, self._where), required, kind, description, name=name, schema=typed
            )
        return Body("RawBody", "bytes", required, kind, description, name=name, schema=_BINARY)

    def _fields(self, schema: Json, required: bool, taken: set[str]) -> Iterator[Parameter]:
        resolved = resolve(self._document, schema)
        needed = resolved.get("required", ()) if required else ()
        for name, field in resolved.get("properties", {}).items():
            typed = self._components.plain(_without_null(field))
            yield Parameter(
                wire_name=name,
                name=identifier(name, _USED | taken),
                place="form",
                annotation=_file_or(annotation(_binary(typed), f"{self._where}: form field {name}")),
                required=name in needed,
                description=_described(field, field),
                schema=typed,
            )

    def _answers(self) -> Iterator[Answer]:
        for status, spec in self._spec.get("responses", {}).items():
            if status.startswith("2"):
                yield self._answer(status, resolve(self._document, spec))

    def _answer(self, status: str, spec: Json) -> Answer:
        content = spec.get("content") or {}
        if not content:
            return Answer(status, "Nothing()", "None")
        kind, media = _chosen(content, f"{self._where}: answer {status}")
        if _is_json(kind):
            schema = self._components.of_rest(media.get("schema", {}), f"{self._id} Response")
            text = annotation(schema, f"{self._where}: answer {status}")
            return Answer(status, f"Json[{text}]({text})", text, schema)
        if kind.startswith("text/"):
            return Answer(status, "Text()", "str", {"type": "string"})
        return Answer(status, "Binary()", "bytes", _BINARY)

    def _errors(self) -> Iterator[tuple[str, str]]:
        for status, spec in self._spec.get("responses", {}).items():
            if status[:1] in "45":
                yield status, str(resolve(self._document, spec).get("description", ""))


def _chosen(content: Mapping[str, Any], where: str) -> tuple[str, Json]:
    """The media type to use: JSON if there is a choice."""
    if not content:
        raise ClientSourceError(where, "there is no media type")
    kind = min(content, key=lambda kind: (not _is_json(kind), kind not in _FORMS))
    return kind, content[kind]


def _is_json(kind: str) -> bool:
    return kind.partition(";")[0].strip() == "application/json" or kind.partition(";")[0].strip().endswith("+json")


def _without_null(schema: Mapping[str, Any]) -> Json:
    """The schema of a value that is left out rather than sent as null."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == 1 and len(schema["anyOf"]) == 2:
        rest = {key: item for key, item in schema.items() if key not in ("anyOf", "title")}
        return {**rest, **branches[0]}
    if isinstance(schema.get("type"), list):
        types = [item for item in schema["type"] if item != "null"]
        return {**schema, "type": types[0] if len(types) == 1 else types}
    return dict(schema)


def _binary(schema: Mapping[str, Any]) -> Json:
    """The same, with uploads told in one way."""
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        return {**schema, "items": _binary(schema["items"])}
    return {**schema, "format": "binary"} if schema.get("contentMediaType") else dict(schema)


def _file_or(text: str) -> str:
    return {"bytes": FILE, "list[bytes]": f"list[{FILE}]"}.get(text, text)


def _described(spec: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    text = str(spec.get("description") or schema.get("description") or "").strip()
    default = schema.get("default")
    return text if default in (None, "") else f"{text} Default: {default_text(default)}.".strip()
