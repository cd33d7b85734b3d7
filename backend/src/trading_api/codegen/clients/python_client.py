"""Renders `{module}_{version}_client.py`: calls, the asynchronous client and the synchronous one."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from trading_api.codegen.clients.docstrings import operation_docstring, stream_docstring
from trading_api.codegen.clients.formatting import formatted
from trading_api.codegen.clients.header import python_header
from trading_api.codegen.clients.naming import client_class_name, sync_client_class_name
from trading_api.codegen.clients.operation import Body, Operation, Parameter
from trading_api.codegen.clients.python_types import imports, optional
from trading_api.codegen.clients.read_streams import Stream
from trading_api.codegen.clients.source import ClientSource
from trading_api.codegen.clients.template import render
from trading_api.codegen.clients.urls import ApiPath

# What a client may use of the runtime; it imports those that it does.
_RUNTIME = (
    "AsyncRestClient AsyncStreamClient Binary Call DurableStream File Json Nothing RawBody Reader Request Stream "
    "StreamRoute SyncRestClient Text form_body headers joined json_body multipart_body target"
)
_DOCSTRING = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""')
_RUNTIME_NAMES = tuple(_RUNTIME.split(" "))


@dataclass(frozen=True, slots=True)
class ClientModule:
    """What a client module is rendered from."""

    source: ClientSource
    path: ApiPath
    operations: list[Operation]
    streams: list[Stream]


def render_client(module: ClientModule, *, runtime: str) -> str:
    """The text of the module. `runtime` is the package to import the runtime from, as in `.runtime`."""
    source = module.source
    body = render(
        "client.py.j2",
        module=module,
        path=module.path,
        client=client_class_name(source),
        sync_client=sync_client_class_name(source),
        title=f"{source.module} {source.version}",
        describe=lambda operation: _closed(operation_docstring(operation)),
        describe_stream=lambda stream: _closed(stream_docstring(stream)),
        signature=signature,
        arguments=arguments,
        target=_target,
        headers=_headers,
        body=_body,
        key_of=_key_of,
        is_none=lambda text: text == "None",
    )
    code = _DOCSTRING.sub("", body)
    used = set(re.findall(r"\w+", code))
    models = f"from . import {source.stem}_models as models" if "models" in used else ""
    names = ", ".join(name for name in _RUNTIME_NAMES if name in used)
    # Sorted as ruff sorts: a relative runtime comes after the package itself.
    local = (
        [models, f"from {runtime} import {names}"]
        if runtime.startswith(".")
        else [f"from {runtime} import {names}", "", models]
    )
    head = [
        f'"""Typed clients of {source.module} {source.version}, asynchronous and synchronous."""',
        "",
        *imports(code, mapping="Mapping" in used),
        "",
        *local,
    ]
    return formatted(python_header(source) + "\n".join(head) + "\n\n" + body)


def signature(operation: Operation, *, bound: bool) -> str:
    """The parameters of the function that builds the call, or (`bound`) of the method that sends it."""
    parts = ["self"] if bound else []
    body = operation.argument
    if body is not None:
        parts.append(_declared(body.name, body.annotation, required=body.required))
    if operation.keywords:
        parts.append("*")
    parts += [_declared(item.name, _accepted(item.annotation), required=item.required) for item in operation.keywords]
    return ", ".join(parts)


def arguments(operation: Operation) -> str:
    """The parameters handed on from the method to the function."""
    body = [operation.argument.name] if operation.argument else []
    return ", ".join([*body, *(f"{item.name}={item.name}" for item in operation.keywords)])


def _declared(name: str, annotation: str, *, required: bool) -> str:
    return f"{name}: {annotation}" if required else f"{name}: {optional(annotation)} = None"


def _accepted(annotation: str) -> str:
    """What may be passed: whole numbers count as decimals and floats."""
    return f"{annotation} | int" if annotation == "decimal.Decimal" else annotation


def _key_of(stream: Stream) -> str:
    return "" if stream.key is None else f", key={json.dumps(stream.key)}"


def _target(operation: Operation) -> str:
    query = _pairs(operation.of("query"))
    places = ", ".join(f'"{item.wire_name}": {item.name}' for item in operation.of("path"))
    extra = f", [{query}]" if query else ""
    return f'target("{operation.path}", {{{places}}}{extra})'


def _headers(operation: Operation) -> str:
    pairs = _pairs(operation.of("header"))
    return f"headers([{pairs}])" if pairs else ""


def _body(body: Body) -> str:
    if body.fields:
        return f"{body.builder}([{_pairs(body.fields)}])"
    content = f'{body.name}, "{body.content_type}"' if body.builder == "RawBody" else body.name
    made = f"{body.builder}({content})"
    return made if body.required else f"None if {body.name} is None else {made}"


def _pairs(parameters: Iterable[Parameter]) -> str:
    return ", ".join(f'("{item.wire_name}", {_value(item)})' for item in parameters)


def _value(parameter: Parameter) -> Any:
    return f"joined({parameter.name})" if parameter.comma else parameter.name


def _closed(text: str) -> str:
    """The inside of a docstring; one of several lines ends on a line of its own."""
    return f"{text}\n" if "\n" in text else text
