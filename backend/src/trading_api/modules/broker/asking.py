"""A request of a client that is to change something."""

from __future__ import annotations

from dataclasses import dataclass

from trading_api.shared.users import User


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks, under which Idempotency-Key (None: the request is its own), and what tells its body from others."""

    user: User
    key: str | None = None
    body_hash: str = ""
