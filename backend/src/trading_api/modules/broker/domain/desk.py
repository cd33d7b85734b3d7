"""All accounts of a process: requests and quotes in, events out."""

from collections import Counter
from decimal import Decimal

from trading_api.modules.broker.domain.account import AccountState, new_account
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.amounts import exact
from trading_api.modules.broker.domain.canceling import cancel
from trading_api.modules.broker.domain.equity import equity_of
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
from trading_api.modules.broker.domain.reaching import expire, reach, settle_arrivals, trail
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

    Not safe for several threads. An exception out of `execute` or `on_market` is a defect; the states may then be ahead
    of the events that were returned, so drop the desk and load it anew.
    """

    def __init__(self, terms: AccountTerms | None = None) -> None:
        """`terms` are those of accounts that are opened here."""
        self._terms = terms or AccountTerms()
        self._accounts: dict[str, AccountState] = {}
        self._orders = WorkingOrders()
        self._interest: Counter[str] = Counter()
        self._marks: dict[str, Quote] = {}

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
        """What the account is worth by the last quotes."""
        return equity_of(self._accounts[account_id], self._marks)

    def free_margin(self, account_id: str) -> Decimal:
        """Equity less used less reserved margin, by the last quotes."""
        return free_margin(self._accounts[account_id], self._marks)

    @exact
    def execute(self, account_id: str, request: Request, market: Views, now_ms: int) -> Outcome:
        """Do what the request asks, wholly or not at all. `now_ms` is the wall clock, ms UTC.

        `market` says at once what is known of a symbol by any of its names. Raises KeyError for an unknown account.
        """
        state = self._accounts[account_id]
        events: list[Event] = []
        rec = Recorder(state, self._orders, self._interest, self._marks, market, now_ms, events)
        for symbol in state.positions:
            if symbol not in self._marks:
                rec.view(symbol)
        result = _handle(rec, request)
        return Outcome(tuple(events), result)

    @exact
    def on_market(self, view: MarketView, now_ms: int) -> tuple[Event, ...]:
        """What a new quote, or the feed's clock, does to all accounts: expiry, then trailing, then fills.

        A quote that is stale, or comes while the market is closed, fills nothing. `now_ms` is the wall clock, ms UTC.
        """
        if view.quote is not None:
            self._marks[view.instrument.symbol] = view.quote
        events: list[Event] = []
        recorders: dict[str, Recorder] = {}

        def recorder(account_id: str) -> Recorder:
            if account_id not in recorders:
                state = self._accounts[account_id]
                recorders[account_id] = Recorder(state, self._orders, self._interest, self._marks, only, now_ms, events)
            return recorders[account_id]

        def only(symbol: str) -> MarketView | None:
            return view if symbol == view.instrument.symbol else None

        expire(self._orders, view, recorder)
        quote = view.tradable
        if quote is not None:
            trail(self._orders, view, quote, recorder)
            reach(self._orders, quote, recorder)
            settle_arrivals(self._orders, quote, recorder)
        return tuple(events)


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
