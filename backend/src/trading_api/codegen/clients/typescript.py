"""Renders `{module}_{version}.ts`: the types of the contract, for a front end."""

from collections.abc import Iterable, Iterator, Mapping

from trading_api.codegen.clients.header import typescript_header
from trading_api.codegen.clients.operation import Operation, Parameter
from trading_api.codegen.clients.read_streams import Stream
from trading_api.codegen.clients.source import ClientSource, Json
from trading_api.codegen.clients.template import render
from trading_api.codegen.clients.typescript_types import comment, key, object_type, type_of
from trading_api.codegen.clients.urls import ApiPath

_PLACES = ("path", "query", "header")


def render_typescript(
    source: ClientSource,
    path: ApiPath,
    schemas: Mapping[str, Json],
    operations: Iterable[Operation],
    streams: Iterable[Stream],
) -> str:
    """The text of the file. `schemas` have class names, and are as strict as the contract."""
    return typescript_header(source) + render(
        "client.ts.j2",
        title=f"{source.module} {source.version}",
        path=path,
        components=[_component(name, schema) for name, schema in sorted(schemas.items())],
        operations=[_operation(operation) for operation in operations],
        streams=[(stream, type_of(stream.request_schema), type_of(stream.data_schema)) for stream in streams],
    )


def _component(name: str, schema: Json) -> str:
    if schema.get("properties") and not any(key in schema for key in ("allOf", "anyOf", "oneOf")):
        return f"{comment(schema)}export interface {name} {object_type(schema)}"
    return f"{comment(schema)}export type {name} = {type_of(schema)};"


def _operation(operation: Operation) -> str:
    """The entry of an operation in `Operations`."""
    note = comment({"description": operation.description, "deprecated": operation.deprecated}, "  ")
    return note + "\n".join([f"  {key(operation.id)}: {{", *(f"    {line};" for line in _lines(operation)), "  };"])


def _lines(operation: Operation) -> Iterator[str]:
    yield f'method: "{operation.method}"'
    yield f'path: "{operation.path}"'
    yield _params(operation)
    yield f"body: {_body(operation)}"
    yield f"response: {_response(operation)}"


def _params(operation: Operation) -> str:
    """The parameters by place; all of it is optional where every one of them is."""
    places = [_parameters(place, operation.of(place)) for place in _PLACES if operation.of(place)]
    if not places:
        return "params?: undefined"
    required = any(parameter.required for parameter in operation.parameters)
    return f"params{'' if required else '?'}: {{ {'; '.join(places)} }}"


def _parameters(place: str, parameters: Iterable[Parameter]) -> str:
    """All of one place; the whole is optional where every one of them is."""
    found = tuple(parameters)
    members = "; ".join(f"{key(p.wire_name)}{'' if p.required else '?'}: {type_of(p.schema)}" for p in found)
    return f"{place}{'' if any(p.required for p in found) else '?'}: {{ {members} }}"


def _body(operation: Operation) -> str:
    body = operation.body
    if body is None:
        return "undefined"
    if body.fields:
        return _parameters("form", body.fields).partition(": ")[2]
    return type_of(body.schema) if body.required else f"{type_of(body.schema)} | undefined"


def _response(operation: Operation) -> str:
    types = ["undefined" if answer.schema is None else type_of(answer.schema) for answer in operation.answers]
    return " | ".join(dict.fromkeys(types)) or "undefined"
