"""Which live orders of an account only reduce a position, and which of its brackets belong together: an index, made
from the orders alone."""

from collections.abc import Iterable

from trading_api.models.broker import OrderStatus
from trading_api.modules.broker.domain.order import Order


def position_set(symbol: str) -> str:
    """The `oco_id` of brackets that were put on the position itself. Order ids are digits: it is never one of them."""
    return f"position:{symbol}"


class BracketSets:
    """Live brackets by set (`oco_id`), the sets that protect a position, and the orders that close one, by symbol.

    Every step is O(1).
    """

    def __init__(self, orders: Iterable[Order] = ()) -> None:
        self._members: dict[str, dict[str, None]] = {}
        self._working: dict[str, dict[str, int]] = {}
        self._closing: dict[str, dict[str, None]] = {}
        for order in orders:
            self.put(order)

    def put(self, order: Order, before: Order | None = None) -> None:
        """An order is new or has changed from `before`; what is no live bracket leaves the index."""
        if before is not None:
            self._drop(before)
        if order.is_close and order.is_live:
            self._closing.setdefault(order.symbol, {})[order.id] = None
        if order.oco_id is not None and order.is_live:
            self._members.setdefault(order.oco_id, {})[order.id] = None
            if order.status is OrderStatus.WORKING:
                sets = self._working.setdefault(order.symbol, {})
                sets[order.oco_id] = sets.get(order.oco_id, 0) + 1

    def members(self, oco_id: str) -> tuple[str, ...]:
        """The ids of the live orders of a set."""
        return tuple(self._members.get(oco_id, ()))

    def protecting(self, symbol: str) -> tuple[str, ...]:
        """The sets with a working order on the symbol: those of entries, oldest first, then the position's own."""
        return tuple(sorted(self._working.get(symbol, ()), key=_age))

    def closing(self, symbol: str) -> tuple[str, ...]:
        """The ids of the live orders on the symbol that may only close (`is_close`)."""
        return tuple(self._closing.get(symbol, ()))

    def _drop(self, order: Order) -> None:
        if order.is_close and order.is_live:
            _leave(self._closing, order.symbol, order.id)
        if order.oco_id is None or order.is_final:
            return
        _leave(self._members, order.oco_id, order.id)
        if order.status is OrderStatus.WORKING:
            sets = self._working[order.symbol]
            sets[order.oco_id] -= 1
            if not sets[order.oco_id]:
                _leave(self._working, order.symbol, order.oco_id)


def _leave(index: dict[str, dict[str, None]] | dict[str, dict[str, int]], key: str, member: str) -> None:
    del index[key][member]
    if not index[key]:
        del index[key]


def _age(oco_id: str) -> tuple[bool, int]:
    return (False, int(oco_id)) if oco_id.isdigit() else (True, 0)
