"""What the first program with a client says: one call, and one stream where there is one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from keyword import iskeyword

from trading_api.codegen.clients.components import Components
from trading_api.codegen.clients.module_client import read_module
from trading_api.codegen.clients.naming import client_class_name
from trading_api.codegen.clients.operation import Operation
from trading_api.codegen.clients.python_client import ClientModule
from trading_api.codegen.clients.read_streams import Stream
from trading_api.codegen.clients.references import component
from trading_api.codegen.clients.source import ClientSource, Json


@dataclass(frozen=True, slots=True)
class QuickStart:
    """The names that the program uses. `stream` and `request` (an expression) are empty where nothing is shown."""

    client: str
    models: str
    call: str
    stream: str
    request: str


def quick_start(sources: Sequence[ClientSource]) -> QuickStart | None:
    """Of the API that has most to show, first by name; None without sources."""
    starts = [_of(source) for source in sorted(sources, key=lambda source: (source.module, source.version))]
    return max(starts, key=lambda start: (bool(start.stream), bool(start.call)), default=None)


def _of(source: ClientSource) -> QuickStart:
    module, components = read_module(source)
    stream, request = next(_streams(module, components), ("", ""))
    call = next((operation.name for operation in module.operations if _is_simple(operation)), "")
    return QuickStart(client_class_name(source), f"{source.stem}_models", call, stream, request)


def _is_simple(operation: Operation) -> bool:
    needs = any(parameter.required for parameter in operation.parameters)
    return operation.method == "GET" and operation.returns != "None" and not needs


def _streams(module: ClientModule, components: Components) -> Iterator[tuple[str, str]]:
    """(attribute, request) of the streams whose request can be written down from the examples of the contract."""
    for stream in module.streams:
        schema = components.schemas.get(component(stream.request_schema) or "", {})
        arguments = _arguments(schema)
        if arguments:
            yield stream.name, _request(stream, arguments)


def _request(stream: Stream, arguments: Mapping[str, str]) -> str:
    return f"{stream.request}({', '.join(f'{name}={value}' for name, value in arguments.items())})"


def _arguments(schema: Json) -> dict[str, str]:
    """Every property that has an example; nothing where one that is required has none."""
    shown = {name: value for name, spec in schema.get("properties", {}).items() if (value := _example(name, spec))}
    return shown if shown.keys() >= set(schema.get("required", ())) else {}


def _example(name: str, schema: Json) -> str:
    examples = schema.get("examples") or []
    plain = name.isidentifier() and not iskeyword(name)
    return _literal(examples[0]) if plain and examples else ""


def _literal(value: object) -> str:
    """A JSON value as Python writes it, texts in double quotes."""
    if isinstance(value, list):
        return f"[{', '.join(map(_literal, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return repr(value)
