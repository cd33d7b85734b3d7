"""A desk with one account and a market that the test moves: for tests of the broker's rules."""

from collections.abc import Sequence
from decimal import Decimal

from trading_api.models.broker import OrderStatus, OrderType, Side
from trading_api.modules.broker.domain.account import AccountState
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.desk import Desk
from trading_api.modules.broker.domain.duration import GOOD_TILL_CANCEL, Duration
from trading_api.modules.broker.domain.events import Event, OrderEvent
from trading_api.modules.broker.domain.instrument import TradedInstrument
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.order import Brackets, Order, OrderRole
from trading_api.modules.broker.domain.outcome import Outcome, Refusal
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.requests import (
    CancelOrder,
    ClosePosition,
    EditBrackets,
    ExecuteOrders,
    Fill,
    ModifyOrder,
    PlaceOrder,
    Request,
)
from trading_api.modules.broker.domain.worth import Equity

NOON = 1_700_000_000_000
SESSION_END = NOON + 3_600_000
ACCOUNT = "DEMO-ACCOUNT"
Number = str | int | Decimal


def D(value: Number) -> Decimal:
    """A decimal."""
    return Decimal(value)


def dec(value: Number | None) -> Decimal | None:
    """A decimal from what is short to write; None stays None."""
    return None if value is None else Decimal(value)


def brackets(
    take_profit: Number | None = None,
    stop_loss: Number | None = None,
    guaranteed: Number | None = None,
    pips: Number | None = None,
) -> Brackets:
    """Brackets from short numbers."""
    return Brackets(dec(take_profit), dec(stop_loss), dec(guaranteed), dec(pips))


class Bed:
    """One account on one desk. AAPL (tick 0.01, step 0.0001) is quoted 99.99 to 100.01 until the test moves it."""

    def __init__(self, terms: AccountTerms | None = None, tick: str = "0.01", step: str = "0.0001") -> None:
        self.desk = Desk(terms)
        self.state: AccountState = self.desk.open(ACCOUNT)
        self.views: dict[str, MarketView] = {}
        self.events: list[Event] = []
        self.last: list[Event] = []
        self.now_ms = NOON
        self._grids = Decimal(tick), Decimal(step)
        self.quote("99.99", "100.01")

    def view(self, symbol: str) -> MarketView | None:
        """What the desk sees of a symbol, by its name or NASDAQ:name in any case."""
        return self.views.get(symbol.upper().removeprefix("NASDAQ:"))

    def quote(
        self,
        bid: Number | None,
        ask: Number | None = None,
        symbol: str = "AAPL",
        *,
        stale: bool = False,
        is_open: bool = True,
        at: int | None = None,
        session_end: int | None = SESSION_END,
    ) -> list[Event]:
        """The market moves (`ask` is the bid unless given; `bid` None: no quote yet). The events that this causes."""
        now = self.now_ms if at is None else at
        low = dec(bid)
        high = dec(ask) if ask is not None else low
        quote = Quote(symbol, low, high, now) if low is not None and high is not None else None
        instrument = TradedInstrument(symbol, *self._grids)
        self.views[symbol] = MarketView(instrument, quote, stale, is_open, session_end, now)
        return self._keep(self.desk.on_market(self.views[symbol], self.now_ms))

    def regrid(self, tick: str, step: str) -> None:
        """The symbol has another price step and another quantity step, from the next quote on."""
        self._grids = Decimal(tick), Decimal(step)

    def ask(self, request: Request) -> Outcome:
        """Any request, as it is answered."""
        outcome = self.desk.execute(ACCOUNT, request, self.view, self.now_ms)
        self._keep(outcome.events)
        return outcome

    def order(
        self,
        side: Side,
        kind: OrderType,
        qty: Number,
        limit: Number | None = None,
        stop: Number | None = None,
        protect: Brackets | None = None,
        symbol: str = "AAPL",
        duration: Duration = GOOD_TILL_CANCEL,
        is_close: bool = False,
    ) -> PlaceOrder:
        """A request to place an order, from short numbers."""
        return PlaceOrder(
            symbol, kind, side, Decimal(qty), dec(limit), dec(stop), protect or Brackets(), duration, "", is_close
        )

    def buy(self, qty: Number, **terms: object) -> str:
        """Place a buy that must be taken (market, unless a limit or stop is given). Its id."""
        return self.done(self._guess(Side.BUY, qty, terms))

    def sell(self, qty: Number, **terms: object) -> str:
        """Place a sell that must be taken."""
        return self.done(self._guess(Side.SELL, qty, terms))

    def done(self, request: Request) -> str:
        """The answer of a request that must not be refused."""
        result = self.ask(request).result
        assert not isinstance(result, Refusal), result.reason
        return str(result)

    def refused(self, request: Request) -> Refusal:
        """The answer of a request that must be refused."""
        result = self.ask(request).result
        assert isinstance(result, Refusal), result
        return result

    def cancel(self, order_id: str) -> str:
        """Cancel an order."""
        return self.done(CancelOrder(order_id))

    def modify(self, order_id: str, **terms: Number) -> str:
        """Give an order other numbers (qty, limit_price, stop_price)."""
        return self.done(ModifyOrder(order_id, **{name: dec(value) for name, value in terms.items()}))  # type: ignore[arg-type]

    def close(self, amount: Number | None = None, symbol: str = "AAPL") -> str:
        """Close a position, or a part of it."""
        return self.done(ClosePosition(symbol, dec(amount)))

    def protect(self, symbol: str = "AAPL", **prices: Number) -> str:
        """Give the position brackets."""
        return self.done(EditBrackets(symbol, brackets(**prices)))

    def fill(self, order_id: str, qty: Number | None = None, price: Number | None = None) -> str:
        """Execute a working order by hand."""
        return self.done(ExecuteOrders((Fill(order_id, dec(qty), dec(price)),)))

    def find(self, order_id: str) -> Order:
        """An order as it was told last."""
        told = [event.order for event in self.events if isinstance(event, OrderEvent) and event.order.id == order_id]
        return told[-1]

    def status(self, order_id: str) -> OrderStatus:
        """How an order stands."""
        return self.find(order_id).status

    def bracket(self, role: OrderRole) -> Order:
        """The one live bracket of that role."""
        (found,) = [order for order in self.state.orders.values() if order.role is role]
        return found

    @property
    def stop(self) -> Order:
        """The one live stop bracket."""
        return self.bracket(OrderRole.STOP_LOSS)

    @property
    def profit(self) -> Order:
        """The one live take profit."""
        return self.bracket(OrderRole.TAKE_PROFIT)

    @property
    def live_brackets(self) -> list[Order]:
        """All live brackets."""
        return [order for order in self.state.orders.values() if order.is_bracket]

    def position(self, symbol: str = "AAPL") -> Position:
        """An open position."""
        return self.state.positions[symbol]

    @property
    def equity(self) -> Equity:
        """What the account is worth now."""
        return self.desk.equity(ACCOUNT)

    @property
    def free(self) -> Decimal:
        """Free margin now."""
        return self.desk.free_margin(ACCOUNT)

    def _guess(self, side: Side, qty: Number, terms: dict[str, object]) -> PlaceOrder:
        kinds = {
            (False, False): OrderType.MARKET,
            (True, False): OrderType.LIMIT,
            (False, True): OrderType.STOP,
            (True, True): OrderType.STOP_LIMIT,
        }
        return self.order(side, kinds["limit" in terms, "stop" in terms], qty, **terms)  # type: ignore[arg-type]

    def _keep(self, events: Sequence[Event]) -> list[Event]:
        self.last = list(events)
        self.events.extend(events)
        return self.last


def kinds(events: Sequence[Event]) -> list[str]:
    """The names of events: `Execution`, `Order`, `Position`, `Equity`…"""
    return [type(event).__name__.removesuffix("Event") for event in events]
