"""A user."""

from dataclasses import dataclass

MAX_USER_ID = 200


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who asks. `id` is the `sub` of a token: 1 to 200 printable characters."""

    id: str


DEFAULT_USER = User("default")
"""The one user where nobody has to say who they are (users.mode none)."""
