"""What a token says, once its signature is known to be right (RFC 7519)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from trading_api.shared.users.errors import TokenRefused
from trading_api.shared.users.user import MAX_USER_ID, User

LEEWAY_S = 30.0
"""How far the clocks of whoever makes tokens may be ahead."""
# The last second that can be written as a date, beyond which nobody means a time.
_LATEST_S = 253_402_300_799


@dataclass(frozen=True, slots=True)
class Claims:
    """`user` until `expires_s`, seconds of the epoch; not before `begins_s`, which the claim `begins_by` says."""

    user: User
    expires_s: float
    begins_s: float
    begins_by: str = "nbf"

    def check(self, now_s: float) -> None:
        """Raise TokenRefused unless the token holds at `now_s`. An expired one is expired: no leeway there."""
        if now_s >= self.expires_s:
            raise TokenRefused(f"The token expired at {_time(self.expires_s)}.")
        if now_s < self.begins_s - LEEWAY_S:
            raise TokenRefused(f"The token is valid from {_time(self.begins_s)} on: its `{self.begins_by}` says so.")


def read_claims(payload: bytes, *, issuer: str = "", audience: str = "") -> Claims:
    """The claims in `payload`. Empty `issuer` and `audience` are not asked for. Raises TokenRefused."""
    try:
        claims: object = json.loads(payload)
    except (ValueError, RecursionError):
        raise TokenRefused("The token holds no JSON.") from None
    if not isinstance(claims, dict):
        raise TokenRefused("The token holds no JSON object.")
    _check_issuer(claims, issuer)
    _check_audience(claims, audience)
    expires = _instant(claims, "exp")
    if expires is None:
        raise TokenRefused("The token has no `exp`: it would never expire.")
    begins, begins_by = max((_instant(claims, name) or 0.0, name) for name in ("iat", "nbf"))
    return Claims(_user(claims), expires, begins, begins_by)


def _user(claims: Mapping[str, Any]) -> User:
    name = claims.get("sub")
    if name is None:
        raise TokenRefused("The token has no `sub`: it does not say who asks.")
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_USER_ID or not name.isprintable():
        raise TokenRefused(f"The token's `sub` is not a text of 1 to {MAX_USER_ID} printable characters.")
    return User(name)


def _check_issuer(claims: Mapping[str, Any], issuer: str) -> None:
    if issuer and claims.get("iss") != issuer:
        raise TokenRefused("The token's `iss` is not the issuer that this server trusts.")


def _check_audience(claims: Mapping[str, Any], audience: str) -> None:
    meant = claims.get("aud")
    if audience and audience not in (meant if isinstance(meant, list) else [meant]):
        raise TokenRefused("The token's `aud` does not name this server.")


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    """A NumericDate: seconds of the epoch, whole or not."""
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenRefused(f"The token's `{name}` is not a number of seconds.")
    # Compared, never converted before: an integer may be too large for a float. NaN is in no range.
    if not 0 <= value <= _LATEST_S:
        raise TokenRefused(f"The token's `{name}` is not a time.")
    return float(value)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
