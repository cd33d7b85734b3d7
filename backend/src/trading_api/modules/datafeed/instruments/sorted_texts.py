"""A list of short texts, found by their beginning or by what they hold."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property
from itertools import accumulate

_END = "\n"
_BEYOND = "\U0010ffff"


class SortedTexts:
    """Texts without line breaks, known by their numbers in the given list, in which no text may change."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._given = texts
        self._numbers = sorted(range(len(texts)), key=texts.__getitem__)
        self._texts = [texts[number] for number in self._numbers]

    def equal(self, text: str) -> list[int]:
        """The numbers of those that are `text`."""
        return self._between(text, text + "\0")

    def beginning(self, text: str) -> list[int]:
        """The numbers of those that begin with `text`."""
        return self._between(text, text + _BEYOND)

    def holding(self, part: str) -> list[int]:
        """The numbers of those that hold `part`, ascending."""
        if len(part) < 2:
            # So many hold a single letter that looking at each is faster.
            return [number for number, text in enumerate(self._given) if part in text]
        found = []
        joined, starts = self._joined
        offset = joined.find(part)
        while offset >= 0:
            following = bisect_right(starts, offset)
            found.append(following - 1)
            offset = joined.find(part, starts[following])
        return found

    @cached_property
    def _joined(self) -> tuple[str, list[int]]:
        """All texts as one, which is searched at the speed of `str.find`, and where each begins."""
        starts = list(accumulate((len(text) + len(_END) for text in self._given), initial=0))
        return "".join(text + _END for text in self._given), starts

    def _between(self, first: str, beyond: str) -> list[int]:
        return self._numbers[bisect_left(self._texts, first) : bisect_left(self._texts, beyond)]
