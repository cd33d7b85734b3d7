"""A user."""

from dataclasses import dataclass

MAX_USER_ID = 200


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who asks. `id` is the `sub` of a token: 1 to 200 printable characters.

    `proven`: a token said so. The one user of a server that asks for none is never equal to anybody with a token.
    """

    id: str
    proven: bool = True


DEFAULT_USER = User("default", proven=False)
"""The one user where nobody has to say who they are (users.mode none)."""
