"""A request that the broker's rules refuse."""

from __future__ import annotations

from trading_api.modules.broker.domain.outcome import Refusal


class Refused(Exception):
    """Carries every reason."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal
