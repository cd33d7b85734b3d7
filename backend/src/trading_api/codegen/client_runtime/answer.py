"""Answers as values: what came back, and how the contract says to read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, Protocol, TypeVar

from pydantic import TypeAdapter, ValidationError

from .errors import DecodeError, TransportError, api_error
from .json_text import from_json
from .request import Request

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_SHOWN_ERRORS = 3


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response. `headers` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Reader(Protocol[T_co]):
    """Turns the content of a response into a value. Raises ValueError saying what does not fit."""

    def read(self, content: bytes) -> T_co: ...


class Json(Generic[T]):
    """Reads JSON of one type, which pydantic checks. Made at import, ready at first use."""

    def __init__(self, type_: Any) -> None:
        self._type = type_

    @cached_property
    def _adapter(self) -> TypeAdapter[T]:
        return TypeAdapter(self._type)

    def read(self, content: bytes | str) -> T:
        """The value of JSON text."""
        return self.validate(from_json(content))

    def validate(self, value: object) -> T:
        """The value of what JSON text said. Raises ValueError naming the first places that do not fit."""
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise ValueError(_summary(error)) from error


class Text:
    """Reads text."""

    def read(self, content: bytes) -> str:
        """Its characters."""
        return content.decode()


class Binary:
    """Hands bytes on."""

    def read(self, content: bytes) -> bytes:
        """The same."""
        return content


class Nothing:
    """For answers without content."""

    def read(self, content: bytes) -> None:
        """None."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T_co]):
    """A request and the readers of its good answers: by status (`200`), class of statuses (`2XX`) or `default`."""

    request: Request
    readers: Mapping[str, Reader[T_co]]

    def result(self, outcome: Response | TransportError) -> T_co:
        """What the operation returns. Raises ApiError, DecodeError, or the TransportError that `outcome` is."""
        if isinstance(outcome, TransportError):
            raise outcome
        where = self.request.operation
        if not 200 <= outcome.status < 300:
            raise api_error(where, outcome.status, outcome.headers, outcome.content)
        return self._read(where, outcome)

    def _read(self, where: str, response: Response) -> T_co:
        names = (str(response.status), f"{response.status // 100}XX", "default")
        reader = next((self.readers[name] for name in names if name in self.readers), None)
        if reader is None:
            raise DecodeError(where, f"the contract has no answer with status {response.status}")
        try:
            return reader.read(response.content)
        except (ValueError, RecursionError) as error:
            kind = response.headers.get("content-type", "no content type")
            raise DecodeError(where, f"{response.status} ({kind}) is not as declared: {error}") from error


def _summary(error: ValidationError) -> str:
    places = [
        f"{'.'.join(map(str, item['loc'])) or 'value'}: {item['msg']}"
        for item in error.errors(include_url=False, include_context=False)
    ]
    more = f" (and {len(places) - _SHOWN_ERRORS} more)" if len(places) > _SHOWN_ERRORS else ""
    return "; ".join(places[:_SHOWN_ERRORS]) + more
