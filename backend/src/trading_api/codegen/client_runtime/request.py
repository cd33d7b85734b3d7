"""A request as a value: built without I/O, sent by either shell."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from .json_text import half_character, to_json, to_text

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
IDEMPOTENCY_KEY = "idempotency-key"
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_PLACE = re.compile(r"\{([^}]+)\}")
Pairs = Iterable[tuple[str, object]]


@dataclass(frozen=True, slots=True)
class File:
    """A file to upload: its bytes, and what to call it."""

    content: bytes
    name: str = "file"
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class RawBody:
    """Bytes and their media type."""

    content: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. `target` is the encoded path and query below the API's prefix; `operation` names it in errors.

    `keyed`: the operation takes an Idempotency-Key, so that one is made up where the caller gave none.
    """

    operation: str
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: RawBody | None = None
    keyed: bool = False

    @property
    def repeatable(self) -> bool:
        """Whether sending it twice does no more than sending it once."""
        return self.method in _SAFE_METHODS or IDEMPOTENCY_KEY in self.headers

    def with_key(self, key: str) -> "Request":
        """The request with an Idempotency-Key, its own or `key`, where its operation takes one."""
        if not self.keyed or IDEMPOTENCY_KEY in self.headers:
            return self
        return replace(self, headers={**self.headers, IDEMPOTENCY_KEY: key})


def target(template: str, path: Mapping[str, object], query: Pairs = ()) -> str:
    """The path of `template` with its places filled, and the query. None is left out, a list repeats its name."""
    filled = _PLACE.sub(lambda place: path_value(place[1], path[place[1]]), template)
    text = urlencode([(name, to_text(item)) for name, value in query for item in _items(value)], quote_via=quote)
    return f"{filled}?{text}" if text else filled


def path_value(name: str, value: object) -> str:
    """One segment of a path, quoted. Raises ValueError for those that would change the path: empty, `.` and `..`."""
    text = to_text(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{name}: {text!r} cannot stand in a path")
    return quote(text, safe="")


def joined(values: Iterable[object] | None) -> str | None:
    """A list parameter that the contract writes with commas, as `a,b`."""
    return None if values is None else ",".join(map(to_text, values))


def headers(pairs: Pairs) -> dict[str, str]:
    """Headers under their lower-case names; None is left out. Raises ValueError for a value with a line break."""
    return {name.lower(): _header_value(name, value) for name, value in pairs if value is not None}


def json_body(value: object) -> RawBody:
    """Exact JSON: by alias, without what was never set. Raises ValueError naming a text that no UTF-8 holds."""
    text = to_json(value)
    try:
        return RawBody(text.encode(), JSON)
    except UnicodeEncodeError as error:
        raise ValueError(f"{half_character(text)}: holds half of a surrogate pair, which is no character") from error


def form_body(pairs: Pairs) -> RawBody:
    """An HTML form without files."""
    return RawBody(urlencode([(name, to_text(item)) for name, value in pairs for item in _items(value)]).encode(), FORM)


def multipart_body(pairs: Pairs) -> RawBody:
    """A form with files (RFC 7578). Bytes count as a file without a name of its own."""
    # 128 random bits: no content holds them.
    boundary = secrets.token_hex(16)
    parts = [_part(name, item) for name, value in pairs for item in _items(value)]
    content = b"".join(b"--" + boundary.encode() + b"\r\n" + part + b"\r\n" for part in parts)
    return RawBody(content + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}")


def _part(name: str, value: object) -> bytes:
    file = File(value) if isinstance(value, bytes) else value
    head = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    if not isinstance(file, File):
        return f"{head}\r\n\r\n{to_text(file)}".encode()
    return (
        f'{head}; filename="{_quoted(file.name)}"\r\nContent-Type: {file.content_type}\r\n\r\n'.encode() + file.content
    )


def _quoted(text: str) -> str:
    # As browsers do (the HTML standard's form-data escaping).
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _items(value: object) -> Iterable[object]:
    if value is None:
        return ()
    return value if isinstance(value, list | tuple | set | frozenset) else (value,)


def _header_value(name: str, value: object) -> str:
    text = ",".join(map(to_text, value)) if isinstance(value, list | tuple) else to_text(value)
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise ValueError(f"{name}: {text!r} cannot stand in a header")
    return text
