"""The messages on the wire (W02): what clients send is read here, and what they are answered is written."""

import json
from collections.abc import Mapping
from typing import Any, TypeGuard

from pydantic_core import from_json

from trading_api.shared.ws.errors import RequestError
from trading_api.shared.ws.message import Message

RequestId = str | int
# What every JSON reader can hold: 64 bits, signed.
_MOST = 2**63 - 1
_TYPE_LENGTH = 128


class ClientFrame:
    """One message of a client: `{type, payload, id?, since?}`.

    Filled in as far as it could be read, so that an error reply names what it answers.
    """

    __slots__ = ("id", "payload", "since", "type")

    def __init__(self) -> None:
        self.type = ""
        self.id: RequestId | None = None
        self.payload: object = None
        self.since: int | None = None

    def read(self, event: Mapping[str, Any], id_length: int) -> None:
        """Read an ASGI receive event. Other members of the frame are ignored. Raises RequestError."""
        fields = _object_of(event)
        self.id = _id_of(fields, id_length)
        self.type = _type_of(fields)
        self.since = _since_of(fields)
        if "payload" not in fields:
            raise RequestError("invalid_frame", "The frame has no payload.")
        self.payload = fields["payload"]


def success_reply(frame: ClientFrame, topic: str, message: str) -> Message:
    """The answer to a request that was met."""
    payload = {"status": "ok", "message": message, "topic": topic}
    return _render({"type": f"{frame.type}.response", "payload": payload}, frame)


def error_reply(frame: ClientFrame, error: RequestError) -> Message:
    """The answer to a request that was not met; it names the request as far as that could be read."""
    payload: dict[str, object] = {"code": error.code, "detail": error.detail}
    if frame.type:
        payload["request_type"] = frame.type[:_TYPE_LENGTH]
    if error.errors:
        payload["errors"] = [item.model_dump() for item in error.errors]
    return _render({"type": "error", "payload": payload}, frame)


def _render(document: dict[str, object], frame: ClientFrame) -> Message:
    if frame.id is not None:
        document["id"] = frame.id
    return Message(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(errors="replace"))


def _object_of(event: Mapping[str, Any]) -> dict[str, object]:
    text = event.get("text")
    if text is None:
        raise RequestError("invalid_frame", "Binary messages are not read; send text.")
    try:
        value: object = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        raise RequestError("invalid_json", f"The message is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise RequestError("invalid_frame", "The message is not a JSON object.")
    return value


def _id_of(fields: Mapping[str, object], length: int) -> RequestId | None:
    value = fields.get("id")
    if value is None or (isinstance(value, str) and len(value) <= length):
        return value
    if _is_integer(value) and -_MOST <= value <= _MOST:
        return value
    raise RequestError("invalid_frame", f"`id` is neither a string of at most {length} characters nor an integer.")


def _type_of(fields: Mapping[str, object]) -> str:
    value = fields.get("type")
    if not isinstance(value, str):
        raise RequestError("invalid_frame", "The frame has no `type` that is a string.")
    return value


def _since_of(fields: Mapping[str, object]) -> int | None:
    value = fields.get("since")
    if value is None:
        return None
    if _is_integer(value) and 0 <= value <= _MOST:
        return value
    raise RequestError("invalid_frame", "`since` is not a sequence number: an integer that is not negative.")


def _is_integer(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)
