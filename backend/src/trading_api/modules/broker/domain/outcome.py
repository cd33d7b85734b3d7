"""What became of a request."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, TypeAlias

from trading_api.modules.broker.domain.events import Event
from trading_api.modules.broker.domain.problem import Problem, texts


@dataclass(frozen=True, slots=True)
class Refusal:
    """It was not done. `invalid` is 400 over HTTP, `not_found` 404."""

    kind: Literal["invalid", "not_found"]
    problems: tuple[Problem, ...]
    order_id: str | None = None
    """Of the Rejected order that was stored, if one was."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """The words of each problem."""
        return texts(self.problems)

    @property
    def reason(self) -> str:
        """All reasons in one text."""
        return " ".join(self.reasons)


@dataclass(frozen=True, slots=True)
class Preview:
    """What an order would do (TradingView's OrderPreviewResult). Amounts in the account's currency, exact.

    `errors` are the reasons for which it would be refused; then the figures are None as far as they cannot be known.
    """

    symbol: str
    qty: Decimal
    currency: str
    price: Decimal | None = None
    """At which it is reckoned: the quote if it would fill at once, else its own limit or stop."""
    cost: Decimal | None = None
    """Notional: qty * price."""
    fees: Decimal | None = None
    leverage: Decimal | None = None
    margin: Decimal | None = None
    """Of the part that opens or increases a position; 0 when it only reduces."""
    free_margin: Decimal | None = None
    """Now."""
    free_margin_after: Decimal | None = None
    """Once it has filled at `price` (an order that fills at once), or rests and holds its reservation."""
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LeveragePreview:
    """What a leverage would mean. Margins in the account's currency, of the symbol's position and open orders."""

    symbol: str
    leverage: Decimal
    current: Decimal
    currency: str
    margin: Decimal
    margin_after: Decimal
    free_margin: Decimal
    free_margin_after: Decimal
    infos: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


Result: TypeAlias = str | Decimal | Preview | LeveragePreview
"""Of PlaceOrder the order's id; of SetLeverage the value in force; of a preview its figures; else a message."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The events to commit, in order, and the answer to give once they are."""

    events: tuple[Event, ...] = field(default=())
    result: Result | Refusal = ""


def invalid_for(*problems: Problem, order_id: str | None = None) -> Refusal:
    """A refusal for one problem or several."""
    return Refusal("invalid", problems, order_id)


def not_found(problem: Problem) -> Refusal:
    """A refusal because the thing is not there."""
    return Refusal("not_found", (problem,))
