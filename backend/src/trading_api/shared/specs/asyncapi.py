"""The AsyncAPI 3.0 document of one version of a module: one channel per route, all at one address."""

from collections.abc import Iterable, Sequence
from inspect import cleandoc
from typing import Any, Literal

from pydantic import TypeAdapter

from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.info import asyncapi_license, info
from trading_api.shared.specs.ws_frame_examples import ERROR_EXAMPLE, frame_examples
from trading_api.shared.specs.ws_frame_schemas import Parts, error_frame, frame_schemas, pascal_case
from trading_api.shared.specs.ws_frames import RequestId, WsError, WsReply
from trading_api.shared.ws.declaration import Conflate, Durable
from trading_api.shared.ws.route import AnyRoute, WsRoute

_Mode = Literal["validation", "serialization"]
_COMMON: tuple[tuple[str, _Mode, Any], ...] = (
    ("reply", "serialization", WsReply),
    ("error", "serialization", WsError),
    ("request_id", "validation", RequestId),
)
_SUMMARIES = {
    "subscribe": "Ask for the updates of a topic.",
    "subscribe.response": "The topic's updates will come.",
    "unsubscribe": "Ask for no more updates of a topic.",
    "unsubscribe.response": "The topic's updates have ended.",
    "update": "What is new on a topic.",
}


def asyncapi_document(*, title: str, version: str, description: str, address: str, routers: Sequence[AnyRoute]) -> Json:
    """What `routers` offer on the WebSocket at the path `address`, as in `/api/v1/datafeed/ws`."""
    routes = sorted(routers, key=lambda route: route.route)
    parts, schemas = _schemas(routes)
    frames = {
        f"{route.route}.{end}": body
        for route in routes
        for end, body in frame_schemas(route, parts[route.route]).items()
    }
    if routes:
        frames["error"] = error_frame(parts[routes[0].route])
    names = _names_of_frames(frames, schemas)
    examples = {"error": ERROR_EXAMPLE} | {
        f"{route.route}.{end}": body
        for route in routes
        for end, body in frame_examples(route, parts[route.route], schemas).items()
    }
    return {
        "asyncapi": "3.0.0",
        "info": {**info(title, version, description), "license": asyncapi_license()},
        "defaultContentType": "application/json",
        "servers": servers(),
        "channels": {route.route: _channel(route, address) for route in routes},
        "operations": {name: body for route in routes for name, body in _operations(route).items()},
        "components": {
            "messages": {name: _message(name, names[name], examples[name]) for name in frames},
            "schemas": {**schemas, **{names[name]: {**body, "title": names[name]} for name, body in frames.items()}},
        },
    }


def servers() -> Json:
    """The one server there is: whatever host a deployment is reached at."""
    host = {"default": "127.0.0.1:8000", "description": "Host and port of the deployment."}
    text = "The deployment. Behind TLS the protocol is wss."
    return {"deployment": {"host": "{host}", "protocol": "ws", "description": text, "variables": {"host": host}}}


def _schemas(routes: Iterable[AnyRoute]) -> tuple[dict[str, Parts], dict[str, Json]]:
    """What each route's frames are made of, by route, and the component schemas that they refer to.

    Pydantic names the components: a class that differs between request and update gets two, and two classes of one
    name get their full names.
    """
    inputs: list[tuple[str, _Mode, TypeAdapter[Any]]] = [
        (key, mode, TypeAdapter(type_)) for key, mode, type_ in _COMMON
    ]
    for route in routes:
        inputs.append((f"{route.route} request", "validation", TypeAdapter(route.request_type)))
        inputs.append((f"{route.route} data", "serialization", TypeAdapter(route.data_type)))
    found, definitions = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
    by_key = {key: schema for (key, _), schema in found.items()}
    common = {key: by_key[key] for key, _, _ in _COMMON}
    parts = {
        route.route: Parts(**common, request=by_key[f"{route.route} request"], data=by_key[f"{route.route} data"])
        for route in routes
    }
    return parts, {name: _without_null_defaults(schema) for name, schema in definitions.get("$defs", {}).items()}


def _without_null_defaults(schema: Json) -> Json:
    """FastAPI leaves them out of OpenAPI documents: the same model must read the same in both."""
    properties = schema.get("properties")
    if not properties:
        return schema
    plain = {
        name: {key: value for key, value in body.items() if (key, value) != ("default", None)}
        for name, body in properties.items()
    }
    return {**schema, "properties": plain}


def _names_of_frames(frames: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """A component name for each frame: `bars.subscribe.response` is `BarsSubscribeResponseFrame`."""
    used, names = set(taken), {}
    for frame in frames:
        name = "".join(pascal_case(part) for part in frame.split(".")) + "Frame"
        while name in used:
            name += "_"
        used.add(name)
        names[frame] = name
    return names


def _message(name: str, schema: str, example: Json) -> Json:
    end = name.partition(".")[2]
    summary = _SUMMARIES[end] if end else "Why a frame was not answered with what it asked for."
    return {
        "name": name,
        "title": name,
        "summary": summary,
        "contentType": "application/json",
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "examples": [{"payload": example}],
    }


def _channel(route: AnyRoute, address: str) -> Json:
    names = {end: f"{route.route}.{end}" for end in _SUMMARIES} | {"error": "error"}
    return {
        "address": address,
        "title": route.route,
        "description": describe(route),
        "messages": {key: {"$ref": f"#/components/messages/{name}"} for key, name in names.items()},
        "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
        # The name of a topic: what follows the colon is the request, keys sorted, without spaces.
        "x-topic": f"{route.route}:{{request}}",
        "x-back-pressure": "conflate" if issubclass(route.delivery, Conflate) else "disconnect",
        "x-durable": issubclass(route.delivery, Durable),
        **_conflate_key(route),
    }


def _conflate_key(route: AnyRoute) -> Json:
    """The JSON pointer to what an update is about, where the class of the data names it (see Conflate)."""
    key = getattr(route.data_type, "conflate_key", None)
    return {"x-conflate-key": key} if key is not None and issubclass(route.delivery, Conflate) else {}


def describe(route: AnyRoute) -> str:
    """What the declaration says of the route; where it says nothing, what its name says."""
    said = route.__dict__.get("__doc__")
    return cleandoc(said) if said and said != WsRoute.__doc__ else f"Updates of {route.route}."


def _operations(route: AnyRoute) -> dict[str, Json]:
    """From the server's view: it receives requests and answers each, and sends updates."""
    name, channel = pascal_case(route.route), {"$ref": f"#/channels/{route.route}"}
    requests = {
        f"{verb}{name}": {
            "action": "receive",
            "channel": channel,
            "summary": _SUMMARIES[verb],
            "messages": [_of_channel(route, verb)],
            "reply": {
                "channel": channel,
                "messages": [_of_channel(route, f"{verb}.response"), _of_channel(route, "error")],
            },
        }
        for verb in ("subscribe", "unsubscribe")
    }
    update = {
        "action": "send",
        "channel": channel,
        "summary": _SUMMARIES["update"],
        "messages": [_of_channel(route, "update")],
    }
    return {**requests, f"update{name}": update}


def _of_channel(route: AnyRoute, message: str) -> Json:
    return {"$ref": f"#/channels/{route.route}/messages/{message}"}
