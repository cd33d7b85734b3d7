"""When to send a request again, and after how long. Pure: the clock and the dice are given."""

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from .answer import Response
from .errors import TransportError
from .request import Request

RETRYABLE_STATUSES = frozenset({429, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How stubborn a client is. Seconds; `attempts` counts the first one, so 1 means no retry.

    The delay is drawn evenly from 0 to `base * 2 ** n`, at most `longest` (full jitter). A Retry-After of the server
    is waited for instead, unless it is longer than `longest_retry_after`: then the answer stands.
    """

    attempts: int = 3
    base: float = 0.2
    longest: float = 5.0
    longest_retry_after: float = 30.0

    def ceiling(self, retries: int) -> float:
        """The longest delay after `retries` retries."""
        return min(self.longest, self.base * 2.0 ** min(retries, 60))


@dataclass(frozen=True, slots=True)
class Dice:
    """What is not determined: chance, and the time of day. Tests bring their own."""

    uniform: Callable[[float, float], float] = random.uniform
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


class Attempts:
    """Counts the attempts of one call."""

    def __init__(self, request: Request, policy: RetryPolicy, dice: Dice) -> None:
        self._left = policy.attempts - 1 if request.repeatable else 0
        self._policy = policy
        self._dice = dice
        self._retries = 0

    def delay_after(self, outcome: Response | TransportError) -> float | None:
        """Seconds to wait before the next attempt; None when `outcome` is final."""
        if self._left <= 0 or not _temporary(outcome):
            return None
        self._left -= 1
        delay = self._delay(outcome)
        self._retries += 1
        return delay

    def _delay(self, outcome: Response | TransportError) -> float | None:
        asked = retry_after(outcome, self._dice.now()) if isinstance(outcome, Response) else None
        if asked is None:
            return self._dice.uniform(0, self._policy.ceiling(self._retries))
        return asked if asked <= self._policy.longest_retry_after else None


def _temporary(outcome: Response | TransportError) -> bool:
    return isinstance(outcome, TransportError) or outcome.status in RETRYABLE_STATUSES


def retry_after(response: Response, now: datetime) -> float | None:
    """The seconds that Retry-After asks for, given as a number or a date; None without one that can be read."""
    value = response.headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value) if len(value) < 12 else math.inf
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
