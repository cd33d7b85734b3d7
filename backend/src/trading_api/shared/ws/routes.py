"""The routes of one version of a module, ready to validate requests and serialise updates."""

import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from trading_api.shared.problems import MAX_FIELD_ERRORS, FieldError, field_error
from trading_api.shared.request_errors import no_such_field
from trading_api.shared.ws.declaration import Conflate, Durable
from trading_api.shared.ws.errors import RequestError
from trading_api.shared.ws.route import AnyRoute
from trading_api.shared.ws.topic_name import topic_name

_TOO_LARGE = "The number is too large"


class CompiledRoute:
    """A route with its validators and serialisers."""

    __slots__ = ("_request_type", "conflates", "data", "durable", "name", "request")

    def __init__(self, route: AnyRoute) -> None:
        self.name = route.route
        self._request_type = route.request_type
        self.request: TypeAdapter[Any] = TypeAdapter(route.request_type)
        self.data: TypeAdapter[Any] = TypeAdapter(route.data_type)
        self.conflates = issubclass(route.delivery, Conflate)
        self.durable = issubclass(route.delivery, Durable)

    def parse(self, payload: object) -> Any:
        """The request in a frame's payload. Raises RequestError naming the wrong places."""
        try:
            # By way of JSON, for the rules of JSON are not those of Python: a string may be a date, even if strict.
            return self.request.validate_json(json.dumps(payload, allow_nan=False))
        except ValidationError as error:
            items = error.errors(include_url=False, include_context=False, include_input=False)[:MAX_FIELD_ERRORS]
            raise _invalid_payload([field_error(self._in_words(item), "payload") for item in items]) from error
        except ValueError as error:
            # Numbers that JSON can write and nobody can hold: 1e999.
            places = itertools.islice(_infinite(payload, "payload"), MAX_FIELD_ERRORS)
            raise _invalid_payload([FieldError(location=place, message=_TOO_LARGE) for place in places]) from error

    def _in_words(self, item: Mapping[str, Any]) -> Mapping[str, Any]:
        """As the REST routes say it."""
        if item["type"] != "extra_forbidden":
            return item
        return {**item, "msg": no_such_field(self._request_type, item["loc"])}

    def topic_of(self, request: object, most_bytes: int) -> str:
        """The name of the topic that `request` asks for. Raises RequestError where that is longer than `most_bytes`."""
        fields = self.request.dump_python(request, mode="json", by_alias=True, exclude_unset=True)
        name = topic_name(self.name, fields)
        if len(name.encode()) > most_bytes:
            raise RequestError("invalid_payload", f"The request makes a topic of more than {most_bytes} bytes.")
        return name


def compile_routes(routes: Iterable[AnyRoute]) -> dict[str, CompiledRoute]:
    """The routes by name."""
    return {route.route: CompiledRoute(route) for route in routes}


def _infinite(value: object, place: str) -> Iterator[str]:
    """Where in `value`, which stands at `place`, numbers are too large to be held."""
    if isinstance(value, float) and not math.isfinite(value):
        yield place
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _infinite(member, f"{place}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _infinite(item, f"{place}.{index}")


def _invalid_payload(errors: Sequence[FieldError]) -> RequestError:
    detail = "; ".join(f"{item.location}: {item.message}" for item in errors[:3])
    return RequestError("invalid_payload", detail, errors)
