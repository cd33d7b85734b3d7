"""A request on its way to the writer, and what the writer says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from trading_api.modules.broker.domain.outcome import Refusal, Result
from trading_api.modules.broker.domain.requests import PreviewLeverage, PreviewOrder, Request
from trading_api.modules.broker.domain.worth import Equity

KEY_PREFIX = "key:"
"""Of the ids that clients chose (Idempotency-Key): their answers are kept, whatever they are."""

CallKey: TypeAlias = tuple[str, str]
"""Account id and command id."""


@dataclass(frozen=True, slots=True)
class AskEquity:
    """What the account is worth now; changes nothing. The answer is an EquityNow."""


@dataclass(frozen=True, slots=True)
class EquityNow:
    """`seq`: of the last event that it includes. Everything in it is durable."""

    seq: int
    equity: Equity


Answer: TypeAlias = Result | Refusal
"""Of a request of the domain: what it gave, or why it was not done."""
Reply: TypeAlias = Answer | EquityNow
_QUERIES = (PreviewOrder, PreviewLeverage, AskEquity)


@dataclass(frozen=True, slots=True)
class Call:
    """Who wants what. `body_hash` tells two requests under one id apart.

    `retry`: it was sent before, so it may have been carried out already.
    """

    account_id: str
    request: Request | AskEquity
    id: str
    body_hash: str
    retry: bool = False

    @property
    def key(self) -> CallKey:
        """What it is carried out at most once under."""
        return self.account_id, self.id

    @property
    def is_query(self) -> bool:
        """Whether it changes nothing, so that it may be answered any number of times."""
        return isinstance(self.request, _QUERIES)

    @property
    def is_keyed(self) -> bool:
        """Whether its client may send it again, at any time."""
        return self.id.startswith(KEY_PREFIX)

    @property
    def may_be_answered(self) -> bool:
        """Whether the store may hold its answer."""
        return (self.retry or self.is_keyed) and not self.is_query
