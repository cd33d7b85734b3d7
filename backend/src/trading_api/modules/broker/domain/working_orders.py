"""The index of working orders over all accounts: which ones a quote or a moment reaches.

Plain lists sorted by what reaches an order; a quote that reaches none is answered by a look at the first of each.
"""

from collections import defaultdict
from decimal import Decimal
from enum import Enum
from typing import NamedTuple

from trading_api.models.broker import OrderStatus, Side
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.sorted_entries import Entry, OrderKey, SortedEntries

_ANY_PRICE = Decimal("Infinity")


class _Kind(Enum):
    """The lists of a symbol. A rank is a price, negated where the higher price comes first."""

    STOP_SELL = "the highest stop first: the bid falls to it"
    STOP_BUY = "the lowest stop first: the ask rises to it"
    LIMIT_BUY = "the highest limit first"
    LIMIT_SELL = "the lowest limit first"
    TRAIL_SELL = "the lowest anchor first: the bid rises above it"
    TRAIL_BUY = "the highest anchor first: the ask falls below it"
    EXPIRY = "the first to expire first"
    ARRIVAL = "limits that have not met the market, the oldest first"


class _Place(NamedTuple):
    kind: _Kind
    entry: Entry


_Lists = defaultdict[_Kind, SortedEntries]


class WorkingOrders:
    """Orders that are Working, of every account, by symbol. Not safe for several threads."""

    def __init__(self) -> None:
        self._lists: dict[str, _Lists] = {}
        self._places: dict[OrderKey, tuple[str, tuple[_Place, ...]]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def put(self, account_id: str, order: Order) -> None:
        """Take the order as it is now, in place of what was known of it. One that is not Working is taken out."""
        self.discard(account_id, order.id)
        if order.status is not OrderStatus.WORKING:
            return
        lists = self._lists.setdefault(order.symbol, defaultdict(SortedEntries))
        places = _places(account_id, order)
        for kind, entry in places:
            lists[kind].add(entry)
        self._places[account_id, order.id] = order.symbol, places

    def discard(self, account_id: str, order_id: str) -> None:
        """Forget the order; nothing happens if it is not here."""
        symbol, places = self._places.pop((account_id, order_id), ("", ()))
        for kind, entry in places:
            self._lists[symbol][kind].remove(entry)

    def due(self, quote: Quote) -> tuple[OrderKey, ...]:
        """The orders that the quote triggers or fills, in the order in which to try them.

        Stops before limits: of a stop and a take profit of one position the stop wins (trading.md). Within each side
        by price-time priority: the best price first (of stops the one the market reaches first), then the oldest.
        """
        lists = self._lists.get(quote.symbol)
        if lists is None:
            return ()
        bid, ask = quote.opposing(Side.SELL), quote.opposing(Side.BUY)
        return (
            *(lists[_Kind.STOP_SELL].upto(bid.copy_negate()) if bid is not None else ()),
            *(lists[_Kind.STOP_BUY].upto(ask) if ask is not None else ()),
            *(lists[_Kind.LIMIT_BUY].upto(ask.copy_negate()) if ask is not None else ()),
            *(lists[_Kind.LIMIT_SELL].upto(bid) if bid is not None else ()),
        )

    def trailing(self, quote: Quote) -> tuple[OrderKey, ...]:
        """The trailing stops that follow the quote: it is better than their anchor, or they have none yet."""
        lists = self._lists.get(quote.symbol)
        if lists is None:
            return ()
        bid, ask = quote.opposing(Side.SELL), quote.opposing(Side.BUY)
        return (
            *(lists[_Kind.TRAIL_SELL].below(bid) if bid is not None else ()),
            *(lists[_Kind.TRAIL_BUY].below(ask.copy_negate()) if ask is not None else ()),
        )

    def arriving(self, symbol: str) -> tuple[OrderKey, ...]:
        """The limit orders of the symbol that no quote has met yet, the oldest first."""
        lists = self._lists.get(symbol)
        return () if lists is None else tuple(lists[_Kind.ARRIVAL].upto(0))

    def expired(self, symbol: str, now_ms: int) -> tuple[OrderKey, ...]:
        """The orders of the symbol whose time is over at `now_ms` of the feed's clock, the first to expire first."""
        lists = self._lists.get(symbol)
        return () if lists is None else tuple(lists[_Kind.EXPIRY].upto(now_ms))


def _places(account_id: str, order: Order) -> tuple[_Place, ...]:
    """Where the order belongs: by its price, its anchor if it trails, its end if it has one, and whether it is new."""
    arrival = (order.created_ms, account_id, len(order.id), order.id)
    ranked = (_price_rank(order), _anchor_rank(order), _expiry_rank(order), _arrival_rank(order))
    return tuple(_Place(one[0], Entry(one[1], *arrival)) for one in ranked if one is not None)


def _price_rank(order: Order) -> tuple[_Kind, Decimal] | None:
    buys = order.side is Side.BUY
    if order.awaits_trigger:
        if order.stop_price is None:  # a trailing stop that has seen no quote yet
            return None
        return (_Kind.STOP_BUY, order.stop_price) if buys else (_Kind.STOP_SELL, order.stop_price.copy_negate())
    if order.limit_price is None:  # a market order: any quote fills it
        return _Kind.LIMIT_BUY if buys else _Kind.LIMIT_SELL, _ANY_PRICE.copy_negate()
    return (_Kind.LIMIT_BUY, order.limit_price.copy_negate()) if buys else (_Kind.LIMIT_SELL, order.limit_price)


def _anchor_rank(order: Order) -> tuple[_Kind, Decimal] | None:
    if order.trail_pips is None:
        return None
    if order.trail_anchor is None:
        return _Kind.TRAIL_BUY if order.side is Side.BUY else _Kind.TRAIL_SELL, _ANY_PRICE.copy_negate()
    if order.side is Side.BUY:
        return _Kind.TRAIL_BUY, order.trail_anchor.copy_negate()
    return _Kind.TRAIL_SELL, order.trail_anchor


def _expiry_rank(order: Order) -> tuple[_Kind, int] | None:
    return None if order.expires_ms is None else (_Kind.EXPIRY, order.expires_ms)


def _arrival_rank(order: Order) -> tuple[_Kind, int] | None:
    return None if order.arrived or not order.is_limit else (_Kind.ARRIVAL, 0)
