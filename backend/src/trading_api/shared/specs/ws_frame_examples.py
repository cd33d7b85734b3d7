"""Examples of whole WebSocket frames: what one client would send for one topic, and what it would get."""

from collections.abc import Mapping

from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.examples import example
from trading_api.shared.specs.ws_frame_schemas import Parts
from trading_api.shared.ws.declaration import Durable
from trading_api.shared.ws.errors import RequestError
from trading_api.shared.ws.limits import DEFAULT_LIMITS
from trading_api.shared.ws.route import AnyRoute
from trading_api.shared.ws.routes import CompiledRoute
from trading_api.shared.ws.topic_name import topic_name

# True of any request to any route, so that the documents of all modules have one and the same error message.
ERROR_EXAMPLE: Json = {
    "type": "error",
    "payload": {
        "code": "rate_limited",
        "detail": f"More than {DEFAULT_LIMITS.messages_per_s:g} messages a second; slow down.",
    },
}


def frame_examples(route: AnyRoute, parts: Parts, schemas: Mapping[str, Json]) -> dict[str, Json]:
    """One of every frame of `route`, by the end of its type; all are about one topic. `schemas` are the components."""
    request = example(parts.request, schemas)
    topic = _topic(route, request)
    payloads = {
        "subscribe": request,
        "subscribe.response": _reply("Subscribed", topic),
        "unsubscribe": request,
        "unsubscribe.response": _reply("Unsubscribed", topic),
        "update": {"topic": topic, "payload": example(parts.data, schemas)},
    }
    frames: dict[str, Json] = {
        end: {"type": f"{route.route}.{end}", "payload": payload} for end, payload in payloads.items()
    }
    if issubclass(route.delivery, Durable):
        frames["update"]["seq"] = 1
    return frames


def _reply(message: str, topic: str) -> Json:
    return {"status": "ok", "message": message, "topic": topic}


def _topic(route: AnyRoute, request: object) -> str:
    """The topic that the server makes of `request`; should it refuse the example, the one that its text gives."""
    compiled = CompiledRoute(route)
    try:
        return compiled.topic_of(compiled.parse(request), DEFAULT_LIMITS.topic_bytes)
    except RequestError:
        return topic_name(route.route, request)
