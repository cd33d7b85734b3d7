"""Frames as text and back."""

from dataclasses import dataclass
from typing import Any

from .errors import DecodeError
from .json_text import from_json, to_json


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame of the server: `route` and `end` of its type, as in `orders` and `update`; an error has no route."""

    route: str
    end: str
    payload: Any
    id: str | None
    seq: int | None

    def text(self, name: str) -> str:
        """A text in the payload. Raises DecodeError where there is none."""
        value = self.payload.get(name) if isinstance(self.payload, dict) else None
        if not isinstance(value, str):
            raise DecodeError("stream", f"{'.'.join(filter(None, (self.route, self.end)))} has no {name}")
        return value


def request_frame(type_: str, payload: str, id_: str, since: int | None = None) -> str:
    """The text of a request; `payload` is JSON text already."""
    resume = "" if since is None else f',"since":{since}'
    return f'{{"type":{to_json(type_)},"payload":{payload},"id":{to_json(id_)}{resume}}}'


def read_frame(text: str | bytes) -> Frame:
    """What a server sent. Raises DecodeError for what is not a frame."""
    try:
        value = from_json(text)
    except (ValueError, RecursionError) as error:
        raise DecodeError("stream", f"a frame is not JSON: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("type"), str):
        raise DecodeError("stream", "a frame has no type")
    route, _, end = value["type"].partition(".")
    id_, seq = value.get("id"), value.get("seq")
    return Frame(
        route=route if end else "",
        end=end or route,
        payload=value.get("payload"),
        id=str(id_) if isinstance(id_, str | int) else None,
        seq=seq if isinstance(seq, int) else None,
    )
