"""Makes one document out of those of several modules. The result does not depend on the order they are given in."""

from collections.abc import Callable, Mapping

from trading_api.shared.specs.asyncapi import servers
from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.info import asyncapi_license, info, openapi_license
from trading_api.shared.specs.merge_names import component_definitions, renamings
from trading_api.shared.specs.operations import operations
from trading_api.shared.specs.references import Target, rewritten

Documents = Mapping[str, Json]
"""One document per module, all of one version."""


def merge_openapi(documents: Documents, *, version: str, base_url: str) -> Json:
    """One OpenAPI document: paths with the whole prefix (`/api/v1/broker/account`), names kept apart where needed."""
    operation_ids = {module: _operation_ids(document) for module, document in documents.items()}
    renamed_ids = renamings(operation_ids, distinct={target for ids in operation_ids.values() for target in ids})
    rename = renamings({module: component_definitions(document) for module, document in documents.items()})
    merged = _start(documents, version, "The modules") | {"openapi": "3.1.0", "servers": [{"url": "/"}]}
    merged |= {"security": [], "paths": {}, "tags": []}
    merged["info"]["license"] = openapi_license()
    for module in sorted(documents):
        prefix = f"{base_url}/{version}/{module}"
        part = _rewritten(documents[module], _below_prefix(prefix, rename[module]))
        _rename_operations(part, renamed_ids[module])
        _push_down_security(part, rename[module])
        merged["paths"] |= {f"{prefix}{path}": item for path, item in part.get("paths", {}).items()}
        _add_components(merged, part, rename[module])
        _add_tags(merged, part)
    merged["tags"] = sorted(merged["tags"], key=lambda tag: str(tag["name"]))
    return merged


def merge_asyncapi(documents: Documents, *, version: str, base_url: str) -> Json:
    """One AsyncAPI document: every channel at the WebSocket of its module."""
    defined = {module: _async_definitions(document) for module, document in documents.items()}
    # Channels and operations of one name are never the same: each module has an address of its own.
    own = {target for targets in defined.values() for target in targets if target[0] != "components"}
    rename = renamings(defined, distinct=own)
    merged = _start(documents, version, "The modules with WebSockets") | {"asyncapi": "3.0.0", "servers": servers()}
    merged |= {"channels": {}, "operations": {}}
    merged["info"]["license"] = asyncapi_license()
    merged["defaultContentType"] = "application/json"
    for module in sorted(documents):
        part = _rewritten(documents[module], rename[module])
        address = f"{base_url}/{version}/{module}/ws"
        for name, channel in part.get("channels", {}).items():
            merged["channels"][rename[module](("channels", name))[-1]] = {**channel, "address": address}
        for name, operation in part.get("operations", {}).items():
            merged["operations"][rename[module](("operations", name))[-1]] = operation
        _add_components(merged, part, rename[module])
    return merged


def _start(documents: Documents, version: str, what: str) -> Json:
    description = f"{what} of this deployment: {', '.join(sorted(documents)) or 'none'}."
    return {"info": info(f"Trading API {version}", version, description), "components": {}}


def _rewritten(document: Json, rename: Callable[[Target], Target]) -> Json:
    found = rewritten(document, rename)
    assert isinstance(found, dict), "a mapping stays one"
    return found


def _below_prefix(prefix: str, rename: Callable[[Target], Target]) -> Callable[[Target], Target]:
    """As `rename`, and references to paths get the prefix that the paths get."""
    return lambda target: ("paths", prefix + target[1], *target[2:]) if target[0] == "paths" else rename(target)


def _operation_ids(document: Json) -> dict[Target, object]:
    return {("operations", item["operationId"]): None for item in operations(document) if "operationId" in item}


def _rename_operations(document: Json, rename: Callable[[Target], Target]) -> None:
    """Give operations, and the links that name them, their names in the merged document. In place."""
    for operation in operations(document):
        links = [
            link for response in operation.get("responses", {}).values() for link in response.get("links", {}).values()
        ]
        for named in (operation, *links):
            if "operationId" in named:
                named["operationId"] = rename(("operations", named["operationId"]))[-1]


def _push_down_security(document: Json, rename: Callable[[Target], Target]) -> None:
    """Write to each operation what its document demands of all of them. In place."""
    common = document.get("security") or []
    for operation in operations(document):
        demanded = operation.get("security", common)
        if demanded:
            operation["security"] = [
                {rename(("components", "securitySchemes", name))[-1]: scopes for name, scopes in choice.items()}
                for choice in demanded
            ]


def _add_components(merged: Json, part: Json, rename: Callable[[Target], Target]) -> None:
    for target, body in component_definitions(part).items():
        _, section, name = rename(target)
        merged["components"].setdefault(section, {})[name] = body


def _add_tags(merged: Json, part: Json) -> None:
    known = {tag["name"] for tag in merged["tags"]}
    merged["tags"] += [tag for tag in part.get("tags", ()) if tag["name"] not in known]


def _async_definitions(document: Json) -> dict[Target, object]:
    defined = component_definitions(document)
    for section in ("channels", "operations"):
        defined.update({(section, name): body for name, body in document.get(section, {}).items()})
    return defined
