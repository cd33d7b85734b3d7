"""What the open orders of an account hold of its margin (trading.md, "Margin"): derived, never stored.

An order that waits holds `quantity * price / leverage` and its fees. Those against a position share it: the oldest is
exempt first, up to the position's quantity, and what exceeds it holds margin like any other, for it would open one the
other way. A stop limit is reckoned by its limit. Reduce-only orders and brackets hold nothing and take no share.

Everything follows from the orders, the positions and the leverages of the moment, so free margin is the same whichever
way the account got there.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from itertools import accumulate, islice
from typing import NamedTuple

from trading_api.models.broker import OrderStatus, Side
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.amounts import EXACT, ZERO, exact, margin_of
from trading_api.modules.broker.domain.commission import commission
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position


def resting_price(order: Order) -> Decimal:
    """The price by which a waiting order is reckoned: its limit, or its stop. 0 of a market order: it never waits."""
    price = order.limit_price if order.limit_price is not None else order.stop_price
    return price if price is not None else ZERO


class _Line(NamedTuple):
    """One order that waits, were none of it exempt."""

    qty: Decimal
    price: Decimal
    fees: Decimal
    held: Decimal
    """Margin and fees, account currency."""


class _Queue:
    """The orders of one symbol and side, oldest first."""

    def __init__(self, lines: dict[str, _Line]) -> None:
        self.lines = lines
        self.qty = _sum(line.qty for line in lines.values())
        self.held = _sum(line.held for line in lines.values())
        self._sums: tuple[list[Decimal], list[Decimal]] | None = None

    def put(self, order_id: str, line: _Line | None) -> None:
        """The order is now this; None takes it out. One that is here already keeps its place."""
        known = self.lines.get(order_id)
        if known == line:
            return
        self.qty, self.held = self._with(order_id, line)
        if line is not None:
            self.lines[order_id] = line
        else:
            del self.lines[order_id]
        if known is not None:
            self._sums = None
        elif self._sums is not None:
            # The youngest: what was summed up before it stays.
            self._sums[0].append(self.qty)
            self._sums[1].append(self.held)

    def beyond(self, exempt: Decimal, leverage: Decimal, change: tuple[str, _Line | None] | None = None) -> Decimal:
        """What they hold when so many units are exempt; `change`: if one of them were another."""
        qty, held = self._with(*change) if change is not None else (self.qty, self.held)
        if not exempt:
            return held
        if exempt >= qty:
            return ZERO
        queue = self.changed(*change) if change is not None else self
        return queue._walk(exempt, leverage)

    def fees(self, exempt: Decimal) -> Decimal:
        """What of `beyond` are fees."""
        reached, fees = ZERO, ZERO
        for line in self.lines.values():
            reached = EXACT.add(reached, line.qty)
            if reached > exempt:
                fees = EXACT.add(fees, line.fees)
        return fees

    def _with(self, order_id: str, line: _Line | None) -> tuple[Decimal, Decimal]:
        qty, held = self.qty, self.held
        known = self.lines.get(order_id)
        if known is not None:
            qty, held = EXACT.subtract(qty, known.qty), EXACT.subtract(held, known.held)
        if line is not None:
            qty, held = EXACT.add(qty, line.qty), EXACT.add(held, line.held)
        return qty, held

    def changed(self, order_id: str, line: _Line | None) -> "_Queue":
        """Another queue, in which the order is this."""
        lines = dict(self.lines)
        if line is None:
            lines.pop(order_id, None)
        else:
            lines[order_id] = line
        return _Queue(lines)

    def _walk(self, exempt: Decimal, leverage: Decimal) -> Decimal:
        """All that comes after the one in which the exemption ends, and what of that one is left."""
        if self._sums is None:
            self._sums = _running_sums(self.lines.values())
        qtys, held = self._sums
        at = bisect_right(qtys, exempt)
        line = next(islice(self.lines.values(), at, None))
        opened = EXACT.subtract(qtys[at], exempt)
        margin = margin_of(EXACT.multiply(opened, line.price), leverage)
        return EXACT.add(EXACT.subtract(held[-1], held[at]), EXACT.add(margin, line.fees))


class Reservations:
    """The waiting orders of one account, by symbol and side. Reads the account's positions and leverages as they are.

    A quote or a fill costs the same however many orders wait; only after one of the orders that share a position has
    changed are they summed up anew, once, when somebody asks.
    """

    def __init__(
        self,
        terms: AccountTerms,
        positions: Mapping[str, Position],
        leverages: Mapping[str, Decimal],
        orders: Iterable[Order],
    ) -> None:
        self._terms = terms
        self._positions = positions
        self._leverages = leverages
        self._queues: dict[tuple[str, Side], _Queue] = {}
        self._held: dict[str, Decimal] = {}
        self._total = ZERO
        self._changed: set[str] = set()
        for order in sorted(orders, key=lambda each: int(each.id)):
            self.put(order)

    @property
    def total(self) -> Decimal:
        """What all of them hold, account currency."""
        for symbol in self._changed:
            held = self._of(symbol, self._positions.get(symbol))
            self._total = EXACT.add(self._total, EXACT.subtract(held, self._held.get(symbol, ZERO)))
            self._held[symbol] = held
        self._changed.clear()
        return self._total

    def put(self, order: Order) -> None:
        """An order is new or has changed; one that holds nothing leaves."""
        line = self._line(order) if order.status is OrderStatus.WORKING else None
        queue = self._queues.get((order.symbol, order.side))
        if queue is None:
            if line is None:
                return
            queue = self._queues[order.symbol, order.side] = _Queue({})
        if line is not None or order.id in queue.lines:
            queue.put(order.id, line)
            self._changed.add(order.symbol)

    def position_changed(self, symbol: str) -> None:
        """What is held of the symbol is another quantity."""
        self._changed.add(symbol)

    def leverage_changed(self, symbol: str) -> None:
        """The margin of every order of the symbol is another."""
        for side in Side:
            if (symbol, side) in self._queues:
                self._queues[symbol, side] = self._at(symbol, side, self._leverage(symbol))
        self._changed.add(symbol)

    def total_if(self, symbol: str, held: Position | None, order: Order | None = None) -> Decimal:
        """What all would hold if that were the symbol's position, and that order (of the same symbol) as it is given:
        with a remaining quantity of 0 it is gone."""
        now = self._of(symbol, self._positions.get(symbol))
        return EXACT.add(self.total, EXACT.subtract(self._of(symbol, held, order), now))

    def fees_if(self, symbol: str, held: Position | None, order: Order) -> Decimal:
        """What of the same, on that order's side of the symbol, are fees. Looks at every order there."""
        queue = self._queues.get((symbol, order.side), _Queue({}))
        return queue.changed(order.id, self._line(order)).fees(_exempt(held, order.side))

    def under(self, symbol: str, leverage: Decimal) -> Decimal:
        """What the symbol's orders would hold under a leverage."""
        held = self._positions.get(symbol)
        queues = [(side, self._at(symbol, side, leverage)) for side in Side]
        return _sum(queue.beyond(_exempt(held, side), leverage) for side, queue in queues)

    def opened_by(self, symbol: str, side: Side, qty: Decimal) -> Decimal:
        """The units of one more order that would hold margin: those for which the older ones leave no position."""
        queue = self._queues.get((symbol, side))
        exempt = _exempt(self._positions.get(symbol), side)
        left = max(EXACT.subtract(exempt, queue.qty), ZERO) if queue is not None else exempt
        return max(EXACT.subtract(qty, left), ZERO)

    def _of(self, symbol: str, held: Position | None, order: Order | None = None) -> Decimal:
        total, leverage = ZERO, self._leverage(symbol)
        for side in Side:
            change = (order.id, self._line(order)) if order is not None and order.side is side else None
            queue = self._queues.get((symbol, side))
            if queue is not None:
                total = EXACT.add(total, queue.beyond(_exempt(held, side), leverage, change))
        return total

    def _at(self, symbol: str, side: Side, leverage: Decimal) -> _Queue:
        known = self._queues.get((symbol, side))
        lines = known.lines if known is not None else {}
        return _Queue({order_id: _line(line.qty, line.price, line.fees, leverage) for order_id, line in lines.items()})

    def _line(self, order: Order) -> _Line | None:
        price = resting_price(order)
        if order.is_bracket or order.is_close or not price or not order.remaining:
            return None
        fees = commission(self._terms, order.remaining, price)
        return _line(order.remaining, price, fees, self._leverage(order.symbol))

    def _leverage(self, symbol: str) -> Decimal:
        return self._leverages.get(symbol, self._terms.default_leverage)


def _line(qty: Decimal, price: Decimal, fees: Decimal, leverage: Decimal) -> _Line:
    return _Line(qty, price, fees, EXACT.add(margin_of(EXACT.multiply(qty, price), leverage), fees))


@exact
def _running_sums(lines: Collection[_Line]) -> tuple[list[Decimal], list[Decimal]]:
    """Of quantities and of what is held, up to each line, by the quickest `+` there is: that of the exact context."""
    return list(accumulate([line.qty for line in lines])), list(accumulate([line.held for line in lines]))


def _exempt(held: Position | None, side: Side) -> Decimal:
    """The units that orders of that side would take from the position."""
    return held.qty if held is not None and held.side is not side else ZERO


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    total = ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total
