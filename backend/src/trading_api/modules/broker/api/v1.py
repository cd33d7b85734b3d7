"""Version 1 of the broker's REST API."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, ClassVar

from fastapi import Body, Response

from trading_api.models import broker as wire
from trading_api.modules.broker import BrokerModule
from trading_api.modules.broker.api.listing import answer_list
from trading_api.modules.broker.api.parameters import (
    Amount,
    BeforeSeq,
    ExecutionLimit,
    IdempotencyKey,
    OrderId,
    OrderTypeQuery,
    PositionId,
    SideQuery,
    SymbolPath,
    SymbolQuery,
    problems,
)
from trading_api.modules.broker.api.quick_route import PlaceOrderRoute
from trading_api.modules.broker.api.route import BrokerRoute, tell_methods
from trading_api.modules.broker.asking import Asking
from trading_api.modules.broker.domain.requests import CancelOrder, ClosePosition, Reset, SetLeverage
from trading_api.modules.broker.journal.queries import MOST_EXECUTIONS
from trading_api.modules.broker.wire import requests, updates
from trading_api.modules.broker.wire.body_hash import body_hash
from trading_api.modules.broker.wire.previews import leverage_preview, order_preview
from trading_api.shared.api import SAFE, APIRouterInterface
from trading_api.shared.users import AskingUser

_Executed = Annotated[wire.ExecuteOrdersRequest | None, Body()]


class BrokerApi(APIRouterInterface[BrokerModule]):
    """The routes of the trading contract for the broker. What changes something is done by the one writer."""

    tags_described: ClassVar = {
        "account": "The account of whoever asks.",
        "orders": "Placing, changing and canceling orders.",
        "positions": "What is held, and what protects it.",
        "leverage": "How much a symbol may be traded on margin.",
    }

    def register(self) -> None:
        """One line per route."""
        self.route_class = BrokerRoute
        # Those that are in a hurry come first, for routes are tried in turn.
        self._register_orders()
        self._register_account()
        self._register_positions()
        self._register_leverage()
        if self.module.settings.debug_routes:
            self.post("/debug/reset", include_in_schema=False)(self.reset)
            self.post("/debug/execute-orders", include_in_schema=False)(self.execute_orders)
        tell_methods(self.routes)

    def _register_account(self) -> None:
        self.get("/account", operation_id="getAccountInfo", tags=["account"])(self.get_account_info)

    def _register_orders(self) -> None:
        changed, asked = problems(400, 409, 503), problems(400, 503)
        self.add_api_route(
            "/orders",
            self.place_order,
            methods=["POST"],
            operation_id="placeOrder",
            tags=["orders"],
            responses=changed,
            route_class_override=PlaceOrderRoute,
        )
        listed = self.get(
            "/orders",
            operation_id="getOrders",
            tags=["orders"],
            responses=problems(503),
            response_model=list[wire.PlacedOrder],
        )
        listed(self.get_orders)
        safe = self.post(
            "/orders/preview", operation_id="previewOrder", tags=["orders"], responses=asked, openapi_extra=SAFE
        )
        safe(self.preview_order)
        path = "/orders/{order_id}"
        self.put(path, operation_id="modifyOrder", tags=["orders"], responses=changed)(self.modify_order)
        self.delete(path, operation_id="cancelOrder", tags=["orders"], responses=changed)(self.cancel_order)

    def _register_positions(self) -> None:
        changed, tags = problems(400, 404, 409, 503), list[str | Enum](("positions",))
        self.get("/positions", operation_id="getPositions", tags=tags, responses=problems(503))(self.get_positions)
        path = "/positions/{position_id}"
        self.delete(path, operation_id="closePosition", tags=tags, responses=changed)(self.close_position)
        edit = self.put(f"{path}/brackets", operation_id="editPositionBrackets", tags=tags, responses=changed)
        edit(self.edit_position_brackets)
        listed = self.get(
            "/executions/{symbol}",
            operation_id="getExecutions",
            tags=tags,
            responses=problems(404, 503),
            response_model=list[wire.Execution],
        )
        listed(self.get_executions)

    def _register_leverage(self) -> None:
        tags, asked = list[str | Enum](("leverage",)), problems(400, 404, 503)
        self.get("/leverage/info", operation_id="leverageInfo", tags=tags, responses=asked)(self.leverage_info)
        change = self.put(
            "/leverage/set", operation_id="setLeverage", tags=tags, responses=problems(400, 404, 409, 503)
        )
        change(self.set_leverage)
        safe = self.post(
            "/leverage/preview", operation_id="previewLeverage", tags=tags, responses=asked, openapi_extra=SAFE
        )
        safe(self.preview_leverage)

    async def get_account_info(self, user: AskingUser) -> wire.AccountInfo:
        """The account of whoever asks."""
        return self.module.service.account_info(user)

    async def place_order(
        self, user: AskingUser, order: wire.PreOrder, key: IdempotencyKey = None
    ) -> wire.PlacedOrderResult:
        """Place an order; the answer comes when it is stored.

        400 with the reasons if it is refused. One that is well formed but not allowed (no margin, market closed, no
        quote, …) is also stored as Rejected, with the reason as its message.
        """
        asking = Asking(user, key, body_hash("placeOrder", order))
        return wire.PlacedOrderResult(orderId=await self.module.service.place(asking, order))

    async def get_orders(self, user: AskingUser) -> Response:
        """Every live order, and those that ended within the last 24 hours (the newest 1000). Oldest first."""
        return await answer_list(await self.module.service.orders(user), updates.placed_order)

    async def preview_order(self, user: AskingUser, order: wire.PreOrder) -> wire.OrderPreview:
        """What placing the order would do now: cost, fees, margin, and every reason for which it would be refused."""
        return order_preview(await self.module.service.preview(user, order))

    async def modify_order(
        self, user: AskingUser, order_id: OrderId, order: wire.ChangedOrder, key: IdempotencyKey = None
    ) -> wire.OperationResult:
        """Give a live order new terms. 400 when it is unknown, final, or the terms are refused; nothing changes then.

        A quantity above what is filled goes on, one equal to it ends the order as Filled, one below is refused.
        """
        asking = Asking(user, key, body_hash("modifyOrder", order_id, order))
        return _done(await self.module.service.modify(asking, order_id, order))

    async def cancel_order(
        self, user: AskingUser, order_id: OrderId, key: IdempotencyKey = None
    ) -> wire.OperationResult:
        """Cancel a live order; what is filled of it stays. 400 when it is unknown or final."""
        asking = Asking(user, key, body_hash("cancelOrder", order_id))
        return _done(await self.module.service.change(asking, CancelOrder(order_id)))

    async def get_positions(self, user: AskingUser) -> list[wire.Position]:
        """What is held, by symbol."""
        return [updates.position(held) for held in await self.module.service.positions(user)]

    async def close_position(
        self, user: AskingUser, position_id: PositionId, amount: Amount = None, key: IdempotencyKey = None
    ) -> wire.OperationResult:
        """Close a position, or `amount` units of it, at the quote. 404 when there is none."""
        asking = Asking(user, key, body_hash("closePosition", position_id, amount))
        return _done(await self.module.service.change(asking, ClosePosition(position_id, amount)))

    async def edit_position_brackets(
        self, user: AskingUser, position_id: PositionId, edit: wire.EditBracketsRequest, key: IdempotencyKey = None
    ) -> wire.OperationResult:
        """Protect a position by these brackets; one that is absent is taken away. 404 when there is no position."""
        asking = Asking(user, key, body_hash("editPositionBrackets", position_id, edit))
        return _done(await self.module.service.change(asking, requests.edit_brackets(position_id, edit)))

    async def get_executions(
        self,
        user: AskingUser,
        symbol: SymbolPath,
        limit: ExecutionLimit = MOST_EXECUTIONS,
        before_seq: BeforeSeq = None,
    ) -> Response:
        """What was traded of a symbol, ascending by time: the newest 10,000 at most, and with `before_seq` older ones.

        404 `Symbol not found` when nobody knows it.
        """
        found = await self.module.service.executions(user, symbol, limit, before_seq)
        return await answer_list(found, updates.execution)

    async def leverage_info(
        self,
        user: AskingUser,
        symbol: SymbolQuery,
        orderType: OrderTypeQuery,  # noqa: N803, ARG002
        side: SideQuery,  # noqa: ARG002
    ) -> wire.LeverageInfo:
        """The leverage in force for a symbol, and what may be chosen."""
        return await self.module.service.leverage_info(user, symbol)

    async def set_leverage(
        self, user: AskingUser, request: wire.LeverageSetRequest, key: IdempotencyKey = None
    ) -> wire.LeverageSetResult:
        """Set a symbol's leverage; the answer is the value now in force. 400 when margin does not cover a lower one."""
        asking = Asking(user, key, body_hash("setLeverage", request))
        change = SetLeverage(request.symbol, request.leverage)
        return wire.LeverageSetResult(leverage=await self.module.service.set_leverage(asking, change))

    async def preview_leverage(self, user: AskingUser, request: wire.LeverageSetRequest) -> wire.LeveragePreview:
        """What setting the leverage would mean, and every reason for which it would be refused."""
        return leverage_preview(await self.module.service.preview_leverage(user, request.symbol, request.leverage))

    async def reset(self, user: AskingUser, key: IdempotencyKey = None) -> wire.OperationResult:
        """The account as on its first day; development only."""
        return _done(await self.module.service.change(Asking(user, key, body_hash("reset")), Reset()))

    async def execute_orders(
        self, user: AskingUser, request: _Executed = None, key: IdempotencyKey = None
    ) -> wire.OperationResult:
        """Execute working orders as if the market had come to them; development only."""
        asking = Asking(user, key, body_hash("executeOrders", request))
        return _done(await self.module.service.change(asking, requests.execute_orders(request)))


def _done(message: str) -> wire.OperationResult:
    return wire.OperationResult(success=True, message=message)
