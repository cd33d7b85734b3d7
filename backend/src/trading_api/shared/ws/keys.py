"""How many things one subscription is about, if its request can tell."""

from typing import Protocol, runtime_checkable


@runtime_checkable
class Keyed(Protocol):
    """A request whose topic publishes with several keys. They count against what one connection may ask for."""

    def count_keys(self) -> int:
        """The number of different keys its topic publishes with, at most."""


def keys_of(request: object) -> int:
    """At least 1, which is what a request counts that does not say."""
    return max(1, request.count_keys()) if isinstance(request, Keyed) else 1
