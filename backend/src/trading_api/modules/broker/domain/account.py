"""The state of one account. Only `apply` changes it (`apply.py`)."""

from dataclasses import dataclass, field
from decimal import Decimal

from trading_api.models.broker import OrderStatus
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.domain.amounts import ZERO
from trading_api.modules.broker.domain.bracket_sets import BracketSets
from trading_api.modules.broker.domain.order import Order
from trading_api.modules.broker.domain.position import Position
from trading_api.modules.broker.domain.reservations import Reservations

REMEMBERED = 1000
"""How many final orders an account knows by their status; of older ones only that they are final."""


@dataclass(slots=True)
class AccountState:
    """What the next command needs to know. Live orders and open positions only, so it does not grow with the log.

    Equal when everything durable is equal: `reservations`, `sets` and `finals` are derived or mere memory.
    """

    id: str
    terms: AccountTerms
    seq: int = 0
    """Of the last event."""
    next_order: int = 1
    """The number of the next order id. Never set back, by a reset neither."""
    next_execution: int = 1
    balance: Decimal = ZERO
    """Cash: first day's + realized - fees, account currency."""
    realized: Decimal = ZERO
    fees: Decimal = ZERO
    leverages: dict[str, Decimal] = field(default_factory=dict)
    """Symbols whose leverage was set."""
    orders: dict[str, Order] = field(default_factory=dict)
    """The live ones, by id."""
    positions: dict[str, Position] = field(default_factory=dict)
    """The open ones, by symbol."""
    reservations: Reservations = field(init=False, compare=False, repr=False)
    sets: BracketSets = field(init=False, compare=False, repr=False)
    finals: dict[str, OrderStatus] = field(init=False, compare=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.index()

    def index(self) -> None:
        """Derive from the orders what is derived."""
        self.reservations = Reservations(self.terms, self.positions, self.leverages, self.orders.values())
        self.sets = BracketSets(self.orders.values())

    @property
    def reserved(self) -> Decimal:
        """Margin held by live orders, account currency."""
        return self.reservations.total

    def leverage(self, symbol: str) -> Decimal:
        """The leverage in force."""
        return self.leverages.get(symbol, self.terms.default_leverage)


def new_account(account_id: str, terms: AccountTerms) -> AccountState:
    """An account on its first day."""
    return AccountState(account_id, terms, balance=terms.balance)
