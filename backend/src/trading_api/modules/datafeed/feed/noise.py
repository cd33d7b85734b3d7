"""Numbers that look random and are the same in every process: a keyed hash of where they are used."""

from __future__ import annotations

import struct
from hashlib import blake2b

_PLACE = struct.Struct("<3q")
_WORDS = struct.Struct("<8I")


class Noise:
    """The noise of one symbol."""

    def __init__(self, seed: int, symbol: str) -> None:
        self._hash = blake2b(f"{seed}:{symbol}".encode(), digest_size=64)

    def words(self, kind: int, first: int, second: int) -> tuple[int, ...]:
        """Eight independent numbers, each 0 to 2**32 - 1, for a place. `kind` keeps uses apart."""
        return _WORDS.unpack(self._digest(kind, first, second)[: _WORDS.size])

    def octets(self, kind: int, first: int, second: int) -> bytes:
        """64 independent numbers, each 0 to 255, for a place."""
        return self._digest(kind, first, second)

    def _digest(self, kind: int, first: int, second: int) -> bytes:
        hashed = self._hash.copy()
        hashed.update(_PLACE.pack(kind, first, second))
        return hashed.digest()


def between(word: int, low: int, high: int) -> int:
    """A word as an integer from `low` to `high`, both included."""
    return low + word * (high - low + 1) // 2**32
