"""What says, from the data's class to the client, where an update tells what it is about (W06)."""

from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from support.clients_contract import live_sources

from trading_api.codegen.client_runtime.json_pointer import pointed
from trading_api.models.market import QuoteData, QuotesSubscription
from trading_api.modules.datafeed.feed.streams import QuotesStream
from trading_api.shared.specs.asyncapi import asyncapi_document
from trading_api.shared.ws import Conflate, Delivery, Disconnect, Durable, WsRoute


class Priced(BaseModel):
    """A price of something."""

    conflate_key: ClassVar[str] = "/name"
    name: str


class Plain(BaseModel):
    """A price of the one thing there is."""

    name: str


def document(data: Any, kind: type[Delivery]) -> dict[str, Any]:
    class Prices(WsRoute[Any, Any]):
        route = "prices"
        request_type = Plain
        data_type = data
        delivery = kind

    return asyncapi_document(title="t", version="v1", description="d", address="/ws", routers=[Prices])


def test_W06_the_contract_tells_the_key_that_the_data_names() -> None:
    made = document(Priced, Conflate)
    assert made["channels"]["prices"]["x-conflate-key"] == "/name"
    assert set(made["components"]["schemas"]["Priced"]["properties"]) == {"name"}


@pytest.mark.parametrize("data", [Plain, Priced | None, int, dict[str, Any], None])
def test_W06_a_route_whose_data_names_no_key_has_none(data: Any) -> None:
    assert "x-conflate-key" not in document(data, Conflate)["channels"]["prices"]


@pytest.mark.parametrize("kind", [Disconnect, Durable])
def test_W06_a_route_that_does_not_conflate_has_no_key(kind: type[Delivery]) -> None:
    assert "x-conflate-key" not in document(Priced, kind)["channels"]["prices"]


def test_W06_the_clients_of_quotes_know_their_key() -> None:
    channels = [
        (name, channel["x-conflate-key"])
        for source in live_sources()
        for name, channel in (source.asyncapi or {}).get("channels", {}).items()
        if "x-conflate-key" in channel
    ]
    assert channels == [("quotes", "/n")]


def test_W06_quotes_are_published_under_the_key_that_the_contract_tells() -> None:
    """The server conflates by the key that it publishes with, clients by the one they find in the data."""
    published: list[tuple[str, object]] = []

    class Recorder:
        request = QuotesSubscription(symbols=["nobody"], fast_symbols=["nothing"])

        def publish(self, data: QuoteData, *, key: str = "") -> None:
            published.append((key, pointed(QuoteData.conflate_key, data.model_dump(mode="json"))))

    class Board:
        time = 0
        changed = None

    list(QuotesStream(Recorder(), {}).advance(Board()))  # type: ignore[arg-type] # what little the stream asks of them
    assert published == [("nothing", "nothing"), ("nobody", "nobody")]
