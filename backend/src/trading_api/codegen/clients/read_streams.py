"""Reads the streams of an AsyncAPI document: one for every channel that sends updates."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trading_api.codegen.clients.components import Components
from trading_api.codegen.clients.naming import identifier, pascal_case, unique
from trading_api.codegen.clients.python_types import annotation
from trading_api.codegen.clients.references import resolve
from trading_api.codegen.clients.source import ClientSourceError, Json


@dataclass(frozen=True, slots=True)
class RawStream:
    """A route, and the schemas of what is asked for and sent, as the document has them."""

    route: str
    request: Json
    data: Json
    conflate: bool
    durable: bool
    key: str | None
    description: str
    address: str


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream as an attribute of a client."""

    route: str
    name: str
    request: str
    data: str
    request_schema: Json
    data_schema: Json
    conflate: bool
    durable: bool
    key: str | None
    description: str


def raw_streams(document: Mapping[str, Any] | None) -> list[RawStream]:
    """The routes of a document, by name. Raises ClientSourceError for a channel that is not one of a route."""
    channels = (document or {}).get("channels", {})
    return [_raw(document or {}, name, channels[name]) for name in sorted(channels)]


def named_streams(raw: list[RawStream], components: Components, taken: frozenset[str]) -> list[Stream]:
    """The streams under Python names; `taken` are names of methods."""
    found = list(_named(raw, components, taken))
    unique("streams", (stream.name for stream in found))
    return found


def _named(raw: list[RawStream], components: Components, taken: frozenset[str]) -> Iterator[Stream]:
    for stream in raw:
        title = pascal_case(stream.route)
        request = components.of_stream(stream.request, f"{title}Subscription")
        data = components.of_stream(stream.data, f"{title}Update")
        yield Stream(
            route=stream.route,
            name=identifier(stream.route, taken),
            request=annotation(request, stream.route),
            data=annotation(data, stream.route),
            request_schema=request,
            data_schema=data,
            conflate=stream.conflate,
            durable=stream.durable,
            key=stream.key,
            description=stream.description,
        )


def _raw(document: Mapping[str, Any], name: str, spec: Json) -> RawStream:
    channel = resolve(document, spec)
    update = _payload(document, name, channel, "update")
    return RawStream(
        route=name,
        request=_payload(document, name, channel, "subscribe"),
        data=_property(document, f"{name}.update", update, "payload"),
        conflate=channel.get("x-back-pressure") == "conflate",
        durable=bool(channel.get("x-durable")),
        key=_key(name, channel),
        description=str(channel.get("description") or f"Updates of {name}."),
        address=str(channel.get("address") or ""),
    )


def _key(route: str, channel: Json) -> str | None:
    """The JSON pointer to what an update is about. Raises ClientSourceError for what is none."""
    key = channel.get("x-conflate-key")
    if key is not None and not (isinstance(key, str) and key.startswith("/")):
        raise ClientSourceError(f"channel {route}", f"x-conflate-key {key!r} is no JSON pointer into an update")
    return key


def _payload(document: Mapping[str, Any], route: str, channel: Json, end: str) -> Json:
    """The schema of `payload` in the frame `{route}.{end}`."""
    where = f"{route}.{end}"
    messages = (resolve(document, message) for message in channel.get("messages", {}).values())
    message = next((message for message in messages if message.get("name") == where), None)
    if message is None:
        raise ClientSourceError(f"channel {route}", f"there is no message named {where!r}")
    frame = resolve(document, message.get("payload", {}))
    return _property(document, where, frame, "payload")


def _property(document: Mapping[str, Any], where: str, schema: Json, name: str) -> Json:
    properties = resolve(document, schema).get("properties", {})
    if name not in properties:
        raise ClientSourceError(where, f"its frame has no {name!r}")
    return dict(properties[name])
