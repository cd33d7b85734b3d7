"""A symbol that nobody knows."""


class UnknownSymbolError(LookupError):
    """No instrument has this name; `text` says so to whoever asked for it."""

    def __init__(self, symbol: str) -> None:
        super().__init__("Symbol not found")
        self.text = not_found_text(symbol)


def not_found_text(symbol: str) -> str:
    """What clients are told of it, in the words of the broker."""
    return f"Symbol not found: {symbol[:80]!r}; GET /datafeed/search lists those that there are."
