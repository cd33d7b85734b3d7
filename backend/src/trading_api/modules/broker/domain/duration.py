"""How long an order stays in force (FIX TimeInForce, 59; TradingView's OrderDuration)."""

from dataclasses import dataclass
from enum import Enum

from trading_api.modules.broker.domain.field import Field
from trading_api.modules.broker.domain.problem import Problem
from trading_api.modules.broker.domain.unreadable import Unreadable

_ALIASES = {"GTT": "GTD"}  # TradingView's "good till time" and FIX's "good till date" both end at a moment


class DurationKind(Enum):
    """The kinds, by TradingView's names."""

    DAY = "DAY"
    """Until the session ends; placed while the market is closed, until the end of the next one (FIX 0)."""
    GTC = "GTC"
    """Until it is canceled (FIX 1)."""
    GTD = "GTD"
    """Until a given moment (FIX 6). GTT means the same."""
    IOC = "IOC"
    """What fills at once; the rest is canceled (FIX 3)."""
    FOK = "FOK"
    """All of it at once, or nothing (FIX 4)."""


@dataclass(frozen=True, slots=True)
class Duration:
    """A kind, and of a GTD order the moment at which it ends, ms UTC on the feed's clock."""

    kind: DurationKind
    until_ms: int | None = None

    @property
    def is_immediate(self) -> bool:
        """Whether what does not fill on arrival is canceled: the order never rests."""
        return self.kind in (DurationKind.IOC, DurationKind.FOK)

    def expires_ms(self, session_end_ms: int | None) -> int | None:
        """When an order of this duration expires, ms UTC; None for never (GTC, and kinds that never rest)."""
        if self.kind is DurationKind.DAY:
            return session_end_ms
        return self.until_ms if self.kind is DurationKind.GTD else None


GOOD_TILL_CANCEL = Duration(DurationKind.GTC)


def parse_duration(kind: str | None, until_ms: int | None = None) -> Duration:
    """The duration as asked over the wire, in any case. Without one GTC: a market order never rests, so any kind does.

    Raises Unreadable, naming the known kinds, for another. Whether the moment is right is `checks.duration_problems`'s.
    """
    if kind is None:
        return GOOD_TILL_CANCEL
    name = kind.strip().upper()
    try:
        return Duration(DurationKind(_ALIASES.get(name, name)), until_ms)
    except ValueError:
        names = ", ".join([*DurationKind.__members__, *_ALIASES])
        text = f"duration.type {kind!r} is not known; use one of {names}"
        raise Unreadable(Problem(Field.DURATION_KIND, text)) from None
