"""Renders everything of one version of one module."""

from trading_api.codegen.clients.components import Components
from trading_api.codegen.clients.models import render_models
from trading_api.codegen.clients.naming import identifier
from trading_api.codegen.clients.python_client import ClientModule, render_client
from trading_api.codegen.clients.read_operations import read_operations
from trading_api.codegen.clients.read_streams import named_streams, raw_streams
from trading_api.codegen.clients.source import ClientSource
from trading_api.codegen.clients.typescript import render_typescript
from trading_api.codegen.clients.urls import api_path


def render_module_client(source: ClientSource, *, runtime: str) -> dict[str, str]:
    """The files of a module's client by name: client, models and TypeScript.

    `runtime` is the package that holds the runtime, absolute or relative to the files. Raises ClientSourceError,
    naming the place in the contract, for what no client can be made from.
    """
    module, components = read_module(source)
    received = [answer.schema for operation in module.operations for answer in operation.answers]
    schemas = components.tolerant([*received, *(stream.data_schema for stream in module.streams)])
    types = render_typescript(source, module.path, components.schemas, module.operations, module.streams)
    return {
        f"{source.stem}_client.py": render_client(module, runtime=runtime),
        f"{source.stem}_models.py": render_models(source, schemas, runtime=runtime),
        f"{source.stem}.ts": types,
    }


def read_module(source: ClientSource) -> tuple[ClientModule, Components]:
    """What a contract offers, under Python names, and its schemas. Raises ClientSourceError as above."""
    raw = raw_streams(source.asyncapi)
    components = Components(source.openapi, source.asyncapi, [[stream.request, stream.data] for stream in raw])
    operations = read_operations(source.openapi, components)
    taken = frozenset(operation.name for operation in operations) | _MEMBERS
    streams = named_streams(raw, components, taken)
    path = api_path(source, raw[0].address if raw else "")
    return ClientModule(source, path, operations, streams), components


_MEMBERS = frozenset({identifier(name) for name in ("address", "aclose", "close")})
