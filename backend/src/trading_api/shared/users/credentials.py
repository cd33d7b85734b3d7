"""Finds the token of a request: in the bearer header (RFC 6750, 2.1) or in the cookie `access_token`."""

from starlette.types import Scope

from trading_api.shared.users.errors import TokenRefused

COOKIE = "access_token"
MAX_TOKEN = 8 * 1024
_SCHEME = "bearer "


def token_of(scope: Scope) -> tuple[str, bool]:
    """The token, and whether it came by cookie alone. Raises TokenRefused: there is none, or there are two."""
    bearer, cookies = set[str](), set[str]()
    for name, value in scope["headers"]:
        if name == b"authorization":
            bearer.update(_bearer(value.decode("latin-1")))
        elif name == b"cookie":
            cookies.update(_cookies(value.decode("latin-1")))
    tokens = bearer | cookies
    if not tokens:
        raise TokenRefused(f"No token: send `Authorization: Bearer TOKEN`, or the cookie {COOKIE}.", missing=True)
    if len(tokens) > 1:
        raise TokenRefused(
            f"There are two different tokens ({_places(bearer, cookies)}), so it is not clear who asks; send one."
        )
    token = tokens.pop()
    if len(token) > MAX_TOKEN:
        raise TokenRefused(f"The token is longer than {MAX_TOKEN} characters.")
    return token, not bearer


def _places(bearer: set[str], cookies: set[str]) -> str:
    """Where two tokens are that differ."""
    if bearer and cookies:
        return f"one in the header Authorization, one in the cookie {COOKIE}"
    return "both in headers Authorization" if bearer else f"both in cookies {COOKIE}"


def _bearer(value: str) -> tuple[str, ...]:
    """Other schemes may be a proxy's affair, and count as none."""
    token = value[len(_SCHEME) :].strip() if value[: len(_SCHEME)].lower() == _SCHEME else ""
    return (token,) if token else ()


def _cookies(value: str) -> list[str]:
    """Every value of our cookie: a browser sends one for each path and domain that it was set for. Empty: none."""
    pairs = (part.partition("=") for part in value.split(";"))
    found = (text.strip().strip('"') for name, _, text in pairs if name.strip() == COOKIE)
    return [text for text in found if text]
