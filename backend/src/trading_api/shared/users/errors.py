"""What can be wrong with a token or a key."""


class TokenRefused(Exception):
    """A request that does not prove who asks. The text says why, and never repeats the token.

    `missing`: there was none at all.
    """

    def __init__(self, reason: str, *, missing: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.missing = missing


class KeyUnusable(Exception):
    """A key that is none for its algorithm. The text never repeats it."""
