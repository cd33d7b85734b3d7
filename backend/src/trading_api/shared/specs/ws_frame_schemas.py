"""JSON Schemas of whole WebSocket frames: `{type, payload, id?}` with a constant `type`."""

from dataclasses import dataclass

from trading_api.shared.specs.canonical import Json
from trading_api.shared.ws.declaration import Durable
from trading_api.shared.ws.route import AnyRoute


@dataclass(frozen=True, slots=True)
class Parts:
    """Schemas that frames are made of: those of every route, and the two of one."""

    reply: Json
    error: Json
    request_id: Json
    request: Json
    data: Json


def pascal_case(route: str) -> str:
    """`broker-connection` as `BrokerConnection`."""
    return "".join(word[:1].upper() + word[1:] for word in route.split("-"))


def frame_schemas(route: AnyRoute, parts: Parts) -> dict[str, Json]:
    """Every frame of `route` by the end of its type: `subscribe`, `subscribe.response`, …, `update`."""
    name, durable = route.route, issubclass(route.delivery, Durable)
    request = {"payload": parts.request}
    reply = {"payload": parts.reply}
    frames = {
        "subscribe": (request, {**_id(parts), **(_since() if durable else {})}),
        "subscribe.response": (reply, _id(parts)),
        "unsubscribe": (request, _id(parts)),
        "unsubscribe.response": (reply, _id(parts)),
        "update": ({"payload": _update(parts), **(_seq() if durable else {})}, {}),
    }
    return {end: frame(f"{name}.{end}", required, optional) for end, (required, optional) in frames.items()}


def error_frame(parts: Parts) -> Json:
    """The frame that answers what cannot be done."""
    return frame("error", {"payload": parts.error}, _id(parts))


def frame(type_: str, required: Json, optional: Json) -> Json:
    """An object with a constant `type`."""
    properties = {"type": {"const": type_, "type": "string"}, **required, **optional}
    return {"type": "object", "properties": properties, "required": ["type", *required]}


def _id(parts: Parts) -> Json:
    return {"id": {**parts.request_id, "description": "Names a request; its reply carries the same."}}


def _since() -> Json:
    description = "The last `seq` seen: what came after it is sent first, once and in order."
    return {"since": {"type": "integer", "minimum": 0, "description": description}}


def _seq() -> Json:
    return {"seq": {"type": "integer", "minimum": 1, "description": "Place of the update in its topic's order."}}


def _update(parts: Parts) -> Json:
    topic = {"type": "string", "description": "The topic that the subscription was given."}
    return {"type": "object", "properties": {"topic": topic, "payload": parts.data}, "required": ["topic", "payload"]}
