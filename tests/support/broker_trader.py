"""Somebody who trades over HTTP: the generated client, pushed quotes, and what is held in plain values."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

import httpx
from support.live_client import LiveClient
from support.waiting import wait_until
from websockets.sync.client import connect

from trading_api.clients import BrokerSyncClient
from trading_api.clients import broker_v1_models as models

BUY, SELL = models.Side.BUY, models.Side.SELL
LIMIT, MARKET, STOP, STOP_LIMIT = (
    models.OrderType.LIMIT,
    models.OrderType.MARKET,
    models.OrderType.STOP,
    models.OrderType.STOP_LIMIT,
)
Json = dict[str, Any]
Number = Decimal | str | int


class Trader:
    """One user at `url` (as in http://127.0.0.1:8000), whose datafeed is of kind manual and has debug routes."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self.headers = headers or {}
        # Plain HTTP: to read the certificates of the system takes half a second.
        plain = httpx.HTTPTransport(verify=False, limits=httpx.Limits(max_connections=30))
        self.client = BrokerSyncClient(url, headers=headers, timeout=60, transport=httpx.HTTPTransport(verify=False))
        self.http = httpx.Client(base_url=f"{url}/api/v1/", headers=headers, transport=plain, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.client.close()
        self.http.close()

    def reset(self) -> None:
        """The account as on its first day."""
        self.http.post("broker/debug/reset").raise_for_status()

    def push(self, symbol: str, bid: str, ask: str, time: int | None = None) -> None:
        """Push a quote, at a time in ms UTC, and wait for nothing."""
        quote = {"symbol": symbol, "bid": float(bid), "ask": float(ask), **({"time": time} if time else {})}
        reply = self.http.post("datafeed/debug/quotes", json=[quote])
        assert reply.status_code == 200, reply.text

    def quote(self, symbol: str, bid: str, ask: str) -> None:
        """Push a quote, and wait until the broker trades at it."""
        self.push(symbol, bid, ask)
        wait_until(
            lambda: (self.price(symbol, BUY), self.price(symbol, SELL)) == (Decimal(ask), Decimal(bid)),
            what=f"{symbol} to trade at {bid} and {ask}",
        )

    def price(self, symbol: str, side: models.Side) -> Decimal | None:
        """At what a market order would fill now."""
        preview = self.client.preview_order(models.PreOrder(symbol=symbol, type=MARKET, side=side, qty=Decimal(1)))
        found = rows(preview).get("Price")
        return None if found is None else Decimal(found)

    def place(self, side: models.Side, qty: Number, symbol: str = "ALFA", **terms: Any) -> str:
        """Place an order, at the market unless `type` says otherwise; its id."""
        return self.client.place_order(order(side, qty, symbol, **terms)).orderId

    def orders(self) -> dict[str, models.PlacedOrder]:
        return {each.id: each for each in self.client.get_orders()}

    def order(self, order_id: str) -> models.PlacedOrder:
        return self.orders()[order_id]

    def status(self, order_id: str) -> str:
        return models.OrderStatus(self.order(order_id).status).name

    def wait_status(self, order_id: str, status: str) -> models.PlacedOrder:
        """Wait until an order has this status: what quotes do takes a moment."""
        wait_until(lambda: self.status(order_id) == status, what=f"order {order_id} to be {status}")
        return self.order(order_id)

    def brackets(self, parent_id: str) -> dict[str, models.PlacedOrder]:
        """The orders that protect a parent, by what they are: take profit or stop."""
        found = (each for each in self.client.get_orders() if each.parentId == parent_id)
        return {"take profit" if each.type is LIMIT else "stop": each for each in found}

    def position(self, symbol: str = "ALFA") -> tuple[str, Decimal, Decimal] | None:
        """Side, quantity and average price of what is held."""
        for each in self.client.get_positions():
            if each.symbol == symbol:
                return models.Side(each.side).name, each.qty, each.avgPrice
        return None

    def fills(self, symbol: str = "ALFA") -> list[tuple[str, str, str]]:
        """Side, quantity and price of each execution."""
        found = self.client.get_executions(symbol=symbol)
        return [(models.Side(each.side).name, shown(each.qty), shown(each.price)) for each in found]

    def equity(self) -> Json:
        """What the account is worth, as the stream says at once."""
        with self.live() as live:
            return live.update(live.subscribe("equity", {"accountId": "DEMO-ACCOUNT"}))

    def balance(self) -> Decimal:
        return Decimal(str(self.equity()["balance"]))

    @contextmanager
    def live(self) -> Iterator[LiveClient]:
        """A connection to the broker's WebSocket."""
        url = f"ws{self.url.removeprefix('http')}/api/v1/broker/ws"
        with connect(url, proxy=None, compression=None, additional_headers=self.headers) as connection:
            yield LiveClient(connection)

    def send(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """A raw request to the broker; a text is sent as it is."""
        content = body if isinstance(body, str) else None if body is None else json.dumps(body)
        head = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return self.http.request(method, f"broker/{path}", content=content, headers=head)


def order(side: models.Side, qty: Number, symbol: str = "ALFA", **terms: Any) -> models.PreOrder:
    """An order, at the market unless `type` says otherwise; prices as texts."""
    exact = {name: Decimal(value) if isinstance(value, str) else value for name, value in terms.items()}
    return models.PreOrder.model_validate(
        {"type": MARKET, **exact, "symbol": symbol, "side": side, "qty": Decimal(qty)}
    )


def rows(preview: models.OrderPreview) -> dict[str, str]:
    """The lines of a preview, by title."""
    return {row.title: row.value for section in preview.sections for row in section.rows}


def shown(number: Decimal) -> str:
    """A number without idle zeros."""
    return format(number.normalize() + 0, "f")
