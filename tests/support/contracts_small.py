"""Small OpenAPI and AsyncAPI documents around one schema."""

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def openapi(
    *, request: object = None, response: object = None, schemas: Mapping[str, object] | None = None, **operation: object
) -> Json:
    """One operation `POST /orders` with these schemas as its body and its answer."""
    body: Json = {"operationId": "place", "responses": {"200": {"description": "done"}}, **operation}
    if request is not None:
        body["requestBody"] = {"required": True, "content": {"application/json": {"schema": request}}}
    if response is not None:
        body["responses"]["200"]["content"] = {"application/json": {"schema": response}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "example", "version": "v1"},
        "servers": [{"url": "/api/v1/example"}],
        "paths": {"/orders": {"post": body}},
        "components": {"schemas": dict(schemas or {})},
    }


def model(*required: str, **properties: object) -> Json:
    """An object schema."""
    return {"type": "object", "properties": properties, "required": list(required)}


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def asyncapi(
    *, request: object = True, update: object = True, policy: str = "conflate", durable: bool = False, **more: object
) -> Json:
    """One route `bars` with subscribe and update, whose payloads are these schemas."""
    channel = {
        "address": "/api/v1/example/ws",
        "messages": {
            "subscribe": {"name": "bars.subscribe", "payload": request},
            "subscribed": {"name": "bars.subscribe.response", "payload": model(status={"type": "string"})},
            "update": {"name": "bars.update", "payload": update},
        },
        "x-back-pressure": policy,
        "x-durable": durable,
        **more,
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "example", "version": "v1"},
        "channels": {"bars": channel},
        "operations": {
            "subscribeBars": _operation("receive", "subscribe", reply="subscribed"),
            "updateBars": _operation("send", "update"),
        },
    }


def _operation(action: str, message: str, reply: str = "") -> Json:
    channel = {"$ref": "#/channels/bars"}
    made: Json = {
        "action": action,
        "channel": channel,
        "messages": [{"$ref": f"#/channels/bars/messages/{message}"}],
    }
    if reply:
        made["reply"] = {"channel": channel, "messages": [{"$ref": f"#/channels/bars/messages/{reply}"}]}
    return made
