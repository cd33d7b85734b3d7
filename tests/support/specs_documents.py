"""WebSocket routes, apps and documents for tests of specs."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, Field

from trading_api.shared.specs.references import references
from trading_api.shared.ws import AnyRoute, Conflate, Durable, WsRoute

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
T = TypeVar("T")


class Subscription(BaseModel):
    """Which symbol."""

    symbol: str = Field(description="A symbol.", examples=["AAPL"])


class Leg(BaseModel):
    """A part of an order; it may have parts itself."""

    qty: float = Field(default=1, gt=0)
    legs: list["Leg"] = Field(default_factory=list)


class Cash(BaseModel):
    """Told apart by its kind."""

    kind: Literal["cash"]


class Stock(BaseModel):
    """Told apart by its kind."""

    kind: Literal["stock"]


class Pair(BaseModel, Generic[T]):
    """Two of a kind."""

    first: T
    second: T | None = None


class Quotes(WsRoute[Subscription, Pair[Leg]]):
    """Newest <b>quotes</b>."""

    route = "quotes"
    request_type = Subscription
    data_type = Pair[Leg]
    delivery = Conflate


class Assets(WsRoute[Subscription, Cash | Stock]):
    route = "broker-assets"
    request_type = Subscription | Leg
    data_type = Cash | Stock


class Orders(WsRoute[Subscription, list[Leg]]):
    """Orders in order."""

    route = "orders"
    request_type = Subscription
    data_type = list[Leg]
    delivery = Durable


ROUTES: tuple[AnyRoute, ...] = (Quotes, Assets, Orders)


def unresolved(document: Mapping[str, Any]) -> list[str]:
    """The references of `document` that lead nowhere."""
    return ["/".join(target) for target in references(document) if not _found(document, target)]


def _found(document: object, target: tuple[str, ...]) -> bool:
    for part in target:
        if not isinstance(document, Mapping) or part not in document:
            return False
        document = document[part]
    return True


def all_values(node: object, key: str) -> Iterator[Any]:
    """What stands under `key`, anywhere in `node`."""
    if isinstance(node, Mapping):
        for name, value in node.items():
            if name == key:
                yield value
            yield from all_values(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from all_values(value, key)


def openapi(paths: Mapping[str, Json], **components: Json) -> Json:
    """A small OpenAPI document; `components` are sections such as `schemas`."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "v1"},
        "servers": [{"url": "/api/v1/x"}],
        "paths": dict(paths),
        "components": components,
    }


def get(operation_id: str, schema: Json) -> Json:
    """A path item with one operation that answers with `schema`."""
    content = {"application/json": {"schema": schema}}
    return {"get": {"operationId": operation_id, "responses": {"200": {"description": "ok", "content": content}}}}


def ref(name: str, section: str = "schemas") -> Json:
    """A reference to a component."""
    return {"$ref": f"#/components/{section}/{name}"}


def copied(document: Json) -> Json:
    """A deep copy."""
    found: Json = json.loads(json.dumps(document))
    return found
