"""All accounts of a process: requests and quotes in, events out."""

from collections import Counter
from decimal import Decimal

from trading_api.modules.broker.domain.account import AccountState, new_account
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.amounts import exact
from trading_api.modules.broker.domain.canceling import cancel
from trading_api.modules.broker.domain.equity import Marks, Unvalued, equity_of, unvalued
from trading_api.modules.broker.domain.events import Event
from trading_api.modules.broker.domain.executing import execute_orders
from trading_api.modules.broker.domain.leverage import preview_leverage, set_leverage
from trading_api.modules.broker.domain.margin import free_margin
from trading_api.modules.broker.domain.market_view import MarketView
from trading_api.modules.broker.domain.modifying import modify
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.outcome import Outcome, Refusal, Result
from trading_api.modules.broker.domain.placing import place
from trading_api.modules.broker.domain.positions import close_position, edit_brackets
from trading_api.modules.broker.domain.previewing import preview
from trading_api.modules.broker.domain.quote import Quote
from trading_api.modules.broker.domain.reaching import (
    Recorders,
    expire,
    expire_by_wall_clock,
    reach,
    settle_arrivals,
    trail,
)
from trading_api.modules.broker.domain.recorder import Recorder, Views
from trading_api.modules.broker.domain.requests import (
    CancelOrder,
    ClosePosition,
    EditBrackets,
    ExecuteOrders,
    ModifyOrder,
    PlaceOrder,
    PreviewLeverage,
    PreviewOrder,
    Request,
    Reset,
    SetLeverage,
)
from trading_api.modules.broker.domain.resetting import reset
from trading_api.modules.broker.domain.working_orders import WorkingOrders
from trading_api.modules.broker.domain.worth import Equity


class Desk:
    """Keeps the state of its accounts; everything that happens to them happens here, one thing after another.

    Not safe for several threads. An exception out of `execute` (but Unvalued) or `on_market` is a defect; the states
    may then be ahead of the events that were returned, so drop the desk and load it anew.
    """

    def __init__(self, terms: AccountTerms | None = None) -> None:
        """`terms` are those of accounts that are opened here."""
        self._terms = terms or AccountTerms()
        self._accounts: dict[str, AccountState] = {}
        self._orders = WorkingOrders()
        self._interest: Counter[str] = Counter()
        self._marks = Marks()

    def add(self, state: AccountState) -> None:
        """Take charge of an account as it was loaded. Raises ValueError if it is here already."""
        if state.id in self._accounts:
            raise ValueError(f"account {state.id} is on the desk already")
        self._accounts[state.id] = state
        for order in state.orders.values():
            self._orders.put(state.id, order)
            self._interest[order.symbol] += 1
        self._interest.update(state.positions.keys())

    def open(self, account_id: str) -> AccountState:
        """Open a new account on the desk's terms. It has no event: it begins at `seq` 0."""
        state = new_account(account_id, self._terms)
        self.add(state)
        return state

    def has(self, account_id: str) -> bool:
        """Whether the account is here."""
        return account_id in self._accounts

    def state(self, account_id: str) -> AccountState:
        """The account as it is now; only to be read. Raises KeyError for one that is not here."""
        return self._accounts[account_id]

    def accounts(self) -> tuple[str, ...]:
        """The ids of all accounts here."""
        return tuple(self._accounts)

    def symbols(self) -> frozenset[str]:
        """The symbols of all live orders and open positions: those whose quotes the desk must be given."""
        return frozenset(self._interest)

    def order(self, account_id: str, order_id: str) -> Order | None:
        """A live order."""
        return self._accounts[account_id].orders.get(order_id)

    def equity(self, account_id: str) -> Equity:
        """What the account is worth by the last quotes, as far as it is known."""
        return equity_of(self._accounts[account_id], self._marks)

    def free_margin(self, account_id: str) -> Decimal:
        """Equity less used less reserved margin, by the last quotes. Raises Unvalued."""
        return free_margin(self._accounts[account_id], self._marks)

    def unvalued(self) -> frozenset[str]:
        """The symbols that are held and of which nothing is known yet: after a start all. See `equity.Marks`."""
        return frozenset(symbol for state in self._accounts.values() for symbol in unvalued(state, self._marks))

    def is_valued(self, symbol: str) -> bool:
        """Whether the market has said something of a symbol."""
        return self._marks.knows(symbol)

    def price(self, quote: Quote) -> None:
        """The symbol is valued at this, before it is known whether and how it trades."""
        self._marks.heed_quote(quote)

    def no_price(self, symbol: str) -> None:
        """The market says that there is no price, or that nobody trades the symbol: it is valued as it can be."""
        self._marks.heed_none(symbol)

    def is_reached(self, quote: Quote) -> bool:
        """Whether there are orders to which a quote does something, if their market is open."""
        orders = self._orders
        return bool(orders.due(quote) or orders.trailing(quote) or orders.arriving(quote.symbol))

    @exact
    def execute(self, account_id: str, request: Request, market: Views, now_ms: int) -> Outcome:
        """Do what the request asks, wholly or not at all. `now_ms` is the wall clock, ms UTC.

        `market` says at once what is known of a symbol by any of its names. Raises KeyError for an unknown account, and
        Unvalued, with nothing changed, when it depends on what the account is worth and that is not known yet.
        """
        state = self._accounts[account_id]
        events: list[Event] = []
        rec = Recorder(state, self._orders, self._interest, self._marks, market, now_ms, events)
        for symbol in state.positions:
            if not self._marks.knows(symbol):
                rec.view(symbol)
        try:
            result = _handle(rec, request)
        except Unvalued as unvalued_error:
            if events:
                raise RuntimeError("it is to be asked before anything is done") from unvalued_error
            raise
        return Outcome(tuple(events), result)

    @exact
    def on_market(self, view: MarketView, now_ms: int) -> tuple[Event, ...]:
        """What a new quote, or the feed's clock, does to all accounts: expiry, then trailing, then fills.

        A quote that is stale, or comes while the market is closed, fills nothing. `now_ms` is the wall clock, ms UTC.
        """
        self._marks.heed(view)
        events: list[Event] = []

        def only(symbol: str) -> MarketView | None:
            return view if symbol == view.instrument.symbol else None

        recorder = self._recorders(only, now_ms, events)
        expire(self._orders, view.instrument.symbol, view.now_ms, recorder)
        quote = view.tradable
        if quote is not None:
            trail(self._orders, view, quote, recorder)
            reach(self._orders, quote, recorder)
            settle_arrivals(self._orders, quote, recorder)
        return tuple(events)

    @exact
    def on_clock(self, symbol: str, feed_ms: int | None, now_ms: int) -> tuple[Event, ...]:
        """The passing of time for a symbol of whose market nothing is known: its orders expire (DAY, GTD) all the same.

        By the feed's clock, or by the wall clock (`now_ms`) while that of the feed is not known (None).
        """
        events: list[Event] = []
        recorder = self._recorders(lambda _: None, now_ms, events)
        if feed_ms is not None:
            expire(self._orders, symbol, feed_ms, recorder)
        else:
            expire_by_wall_clock(self._orders, symbol, now_ms, recorder)
        return tuple(events)

    def _recorders(self, views: Views, now_ms: int, events: list[Event]) -> Recorders:
        known: dict[str, Recorder] = {}

        def recorder(account_id: str) -> Recorder:
            if account_id not in known:
                state = self._accounts[account_id]
                known[account_id] = Recorder(state, self._orders, self._interest, self._marks, views, now_ms, events)
            return known[account_id]

        return recorder


def _handle(rec: Recorder, request: Request) -> Result | Refusal:
    match request:
        case PlaceOrder():
            return place(rec, request)
        case ModifyOrder():
            return modify(rec, request)
        case CancelOrder():
            return cancel(rec, request)
        case ClosePosition():
            return close_position(rec, request)
        case EditBrackets():
            return edit_brackets(rec, request)
        case _:
            return _handle_other(rec, request)


def _handle_other(
    rec: Recorder, request: SetLeverage | Reset | ExecuteOrders | PreviewOrder | PreviewLeverage
) -> Result | Refusal:
    match request:
        case SetLeverage():
            return set_leverage(rec, request)
        case PreviewOrder():
            return preview(rec, request)
        case PreviewLeverage():
            return preview_leverage(rec, request)
        case ExecuteOrders():
            return execute_orders(rec, request)
        case Reset():
            return reset(rec, request)
