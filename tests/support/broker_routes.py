"""The broker's app without a server: behind its routes a played writer, or a desk with the broker's rules."""

import json
import logging
from pathlib import Path
from typing import Any

import httpx
from support.backend_calls import call
from support.broker_domain import Bed

from trading_api.app_factory import create_app
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.requests import Request
from trading_api.modules.broker.market.port import UnknownSymbol
from trading_api.modules.broker.seldom import Seldom
from trading_api.modules.broker.service import BrokerService
from trading_api.modules.broker.writer.call import Answer, Call, EquityNow
from trading_api.modules.broker.writer.codec import dump_call, dump_reply, load_call, load_reply
from trading_api.modules.broker.writer.looking import look, symbol_to_look_at
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.modular_app import ModularApp

LEVERAGE = b'{"symbol":"AAPL","orderType":2,"side":1,"leverage":5}'
ORDER = b'{"symbol":"AAPL","type":2,"side":1,"qty":10}'


class Writer:
    """Says `answer` to every command, or raises it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Answer | Exception = "7"
        self.asked: list[tuple[str, Request, str, str]] = []

    async def execute(self, account_id: str, request: Request, *, command_id: str, body_hash: str) -> Answer:
        self.asked.append((account_id, request, command_id, body_hash))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class BedMarket:
    """The market of a bed: every symbol that it does not quote is unknown."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed

    def view(self, symbol: str) -> MarketView | None:
        return self.bed.view(symbol)

    async def look(self, symbol: str) -> MarketView:
        found = self.bed.view(symbol)
        if found is None:
            raise UnknownSymbol
        return found


class DeskWriter:
    """Has a bed's desk decide. Calls and answers take the form in which they go over the bus and into the store."""

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.market = BedMarket(bed)

    async def execute(self, account_id: str, request: Request, *, command_id: str, body_hash: str) -> Answer:
        _, arrived = load_call(dump_call(Call(account_id, request, command_id, body_hash), "store"))
        answer = load_reply(dump_reply(await self._decide(arrived)))
        assert not isinstance(answer, EquityNow)
        return answer

    async def _decide(self, arrived: Call) -> Answer:
        desk: Desk = self.bed.desk
        symbol = symbol_to_look_at(self.market, desk, arrived)  # type: ignore[arg-type]
        if symbol is not None:
            refusal = await look(self.market, symbol, arrived.request)  # type: ignore[arg-type]
            if refusal is not None:
                return refusal
        return self.bed.ask(arrived.request).result  # type: ignore[arg-type]


class Bench:
    """The broker's app, never started, with a played writer."""

    def __init__(self, folder: Path, *, debug_routes: bool = False) -> None:
        settings = Settings(
            enabled_modules=(ModuleChoice("broker"),),
            store_url=f"sqlite:///{folder}/trading.db",
            debug_routes=debug_routes,
        )
        app = create_app(settings)
        assert isinstance(app, ModularApp)
        self.app = app
        service = next(each.module.service for each in app.module_apps if each.module.name == "broker")
        assert isinstance(service, BrokerService)
        self.service = service
        self.writer = Writer()
        self.fresh()

    def fresh(self) -> "Bench":
        """As at first: nothing asked, and nothing complained of."""
        self.writer = Writer()
        self.service._machinery.commands = self.writer  # type: ignore[assignment]
        self.service._seldom = Seldom(logging.getLogger(BrokerService.__module__))
        return self

    def decide_by(self, bed: Bed) -> None:
        """From now on the rules decide, on this bed."""
        self.service._machinery.commands = DeskWriter(bed)  # type: ignore[assignment]

    def send(self, method: str, path: str, content: bytes = b"", **headers: str) -> httpx.Response:
        """The answer to a request to one of the broker's routes."""
        head = {"content-type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        return call(self.app, f"/api/v1/broker/{path}", method, headers=head, content=content)

    def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """The answer to a request with a body as JSON."""
        return self.send(method, path, b"" if body is None else json.dumps(body).encode())

    def place(self, content: bytes = ORDER, **headers: str) -> httpx.Response:
        """The answer to an order."""
        return self.send("POST", "orders", content, **headers)


def problem(reply: httpx.Response) -> tuple[int, str]:
    """Status and detail of a problem (RFC 9457)."""
    assert reply.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = reply.json()
    assert told["status"] == reply.status_code
    return reply.status_code, told["detail"]
