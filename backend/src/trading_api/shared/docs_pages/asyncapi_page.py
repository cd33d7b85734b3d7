"""An AsyncAPI document as the page shows it: plain values, every reference resolved."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trading_api.shared.docs_pages.schema_text import (
    TypePart,
    bounds,
    schema_anchor,
    type_parts,
)
from trading_api.shared.specs.canonical import Json
from trading_api.shared.specs.examples import example, in_order, name_of

_POLICIES = {
    "conflate": "of updates that are not read in time, only the newest of each key is kept.",
    "disconnect": "a client that does not read in time is disconnected, so that it never misses an update unknowingly.",
}
_DURABLE = {True: "yes: updates carry seq, and subscribing with since sends what was missed", False: "no"}


@dataclass(frozen=True, slots=True)
class Message:
    """A message of an exchange, with an example as JSON text."""

    direction: str
    name: str
    schema: str
    schema_anchor: str
    example: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """An operation: a request with its replies, or an update."""

    operation: str
    anchor: str
    summary: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Channel:
    """A route."""

    name: str
    anchor: str
    address: str
    description: str
    topic: str
    back_pressure: str
    back_pressure_text: str
    durable_text: str
    exchanges: tuple[Exchange, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """A member of an object; `name` is its path where that object is a member itself: `payload.topic`."""

    name: str
    type: tuple[TypePart, ...]
    required: bool
    description: str
    bounds: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A component; `type` tells of those that have no fields."""

    name: str
    anchor: str
    description: str
    fields: tuple[Field, ...]
    type: tuple[TypePart, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that is shown."""

    title: str
    version: str
    description: str
    channels: tuple[Channel, ...]
    schemas: tuple[Schema, ...]


def page_of(document: Json) -> Page:
    """What the page of `document` shows."""
    schemas: Mapping[str, Json] = document.get("components", {}).get("schemas", {})
    return Page(
        title=document["info"]["title"],
        version=document["info"]["version"],
        description=document["info"].get("description", ""),
        channels=tuple(_channel(document, name, channel) for name, channel in sorted(document["channels"].items())),
        schemas=tuple(_schema(name, schema) for name, schema in sorted(schemas.items())),
    )


def _channel(document: Json, name: str, channel: Json) -> Channel:
    policy = str(channel.get("x-back-pressure", ""))
    return Channel(
        name=name,
        anchor=f"channel-{name}",
        address=channel["address"],
        description=channel.get("description", ""),
        topic=channel.get("x-topic", ""),
        back_pressure=policy,
        back_pressure_text=_POLICIES.get(policy, ""),
        durable_text=_DURABLE[bool(channel.get("x-durable"))],
        exchanges=tuple(_exchanges(document, name)),
    )


def _exchanges(document: Json, channel: str) -> Iterator[Exchange]:
    reference = {"$ref": f"#/channels/{channel}"}
    for name, operation in sorted(document["operations"].items()):
        if operation["channel"] == reference:
            yield Exchange(
                name, f"operation-{name}", operation.get("summary", ""), tuple(_messages(document, operation))
            )


def _messages(document: Json, operation: Json) -> Iterator[Message]:
    """First what the operation is about, then the replies to it."""
    from_client = operation["action"] == "receive"
    request = ""
    for reference in operation.get("messages", ()):
        message = _resolve(document, reference)
        request = message["name"]
        yield _message(message, _example(document, message), "client sends" if from_client else "server sends")
    for reference in operation.get("reply", {}).get("messages", ()):
        message = _resolve(document, reference)
        yield _message(message, _as_answer_to(request, _example(document, message)), "server answers")


def _message(message: Json, shown: Json, direction: str) -> Message:
    name = name_of(message["payload"]) or ""
    text = json.dumps(shown, indent=2, ensure_ascii=False)
    return Message(direction, message["name"], name, schema_anchor(name), text)


def _example(document: Json, message: Json) -> Json:
    """The frame that the message gives as an example; where it gives none, one of its shape."""
    given = [item["payload"] for item in message.get("examples", ())]
    frame = _ordered(given[0] if given else example(message["payload"], document["components"]["schemas"]))
    return frame if isinstance(frame, dict) else {}


def _ordered(value: object) -> object:
    """`value` with the members of objects as pages show them: a file has them in an order of its own."""
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return {name: _ordered(value[name]) for name in in_order(value)} if isinstance(value, dict) else value


def _as_answer_to(request: str, frame: Json) -> Json:
    """`frame`, which is the same for all requests if it is an error, as the answer to this one."""
    if frame.get("type") != "error":
        return frame
    return {**frame, "payload": {**frame["payload"], "request_type": request}}


def _resolve(document: Json, value: Json) -> Json:
    """What `value` is, or refers to over any number of references."""
    while "$ref" in value:
        found: Any = document
        for part in value["$ref"].removeprefix("#/").split("/"):
            found = found[part.replace("~1", "/").replace("~0", "~")]
        value = found
    return value


def _fields(schema: Json, above: str = "") -> Iterator[Field]:
    """The members of an object, each followed by its own, if it is an object that has no name to look it up by."""
    members: Mapping[str, Json] = schema.get("properties", {})
    required = set(schema.get("required", ()))
    for member in in_order(members):
        body, name = members[member], f"{above}{member}"
        yield Field(name, type_parts(body), member in required, body.get("description", ""), bounds(body))
        yield from _fields(body, f"{name}.")
        yield from _fields(body.get("items", {}), f"{name}[].")


def _schema(name: str, schema: Json) -> Schema:
    fields = tuple(_fields(schema))
    return Schema(name, schema_anchor(name), schema.get("description", ""), fields, type_parts(schema))
