"""What is known of whoever asks, kept in the ASGI scope of a connection."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import HTTPConnection
from starlette.types import Scope

from trading_api.shared.users.user import User

_KEY = "trading_api.identity"


@dataclass(frozen=True, slots=True)
class Identity:
    """`expires_s`: seconds of the epoch until which it holds, None for ever.

    `ambient`: the browser shows it by itself (a cookie, or no proof is asked for), so any page could ask in its name.
    """

    user: User
    expires_s: float | None = None
    ambient: bool = True


def identify(scope: Scope, identity: Identity) -> None:
    """Note who asks on this connection."""
    scope[_KEY] = identity


def identity_of(scope: Scope) -> Identity | None:
    """Who asks; None where nobody was asked: the module needs no user, or the path is open."""
    return cast("Identity | None", scope.get(_KEY))


def user_of(scope: Scope) -> User:
    """The user who asks. Raises LookupError where nobody was asked: the module must declare `needs_user`."""
    identity = identity_of(scope)
    if identity is None:
        raise LookupError("nobody was asked who they are here; the Module class must say needs_user = True")
    return identity.user


# Not a plain function, which FastAPI would run in a thread.
async def _asking_user(connection: HTTPConnection) -> User:
    return user_of(connection.scope)


AskingUser = Annotated[User, Depends(_asking_user)]
"""For a route: `async def get_account(self, user: AskingUser)`. It is not in the spec."""
