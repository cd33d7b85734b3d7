"""What a misspelled word may have meant."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

_SHORTEST, _LONG = 3, 6
"""Letters of a word from which on one error, and two, are forgiven."""
_MAX_NEAR = 200


def respelled(word: str, vocabulary: Sequence[str], *, limit: int) -> list[str]:
    """The words of the sorted vocabulary that are `word` but for an error or two, or begin so; nearest first.

    An error is a letter too much, too few, another one, or two swapped. The first letter is right, or left out, or
    swapped with the second. Words with digits have no errors: another number is another thing. All is in capitals.
    """
    edits = _edits(word)
    if not edits:
        return []
    near = [
        (errors, found != beginning, found[0] != word[0], abs(len(found) - len(word)), found)
        for found, beginning, errors in _near(word, vocabulary, edits)
    ]
    return list(dict.fromkeys(found for *_, found in sorted(near)))[:limit]


def _edits(word: str) -> int:
    if len(word) < _SHORTEST or not word.isalpha():
        return 0
    return 1 if len(word) < _LONG else 2


def _near(word: str, vocabulary: Sequence[str], edits: int) -> Iterator[tuple[str, str, int]]:
    """Words, what of them was compared (a longer one's beginning, too), and the errors in it."""
    # Only a search that has found nothing needs it.
    from rapidfuzz import process
    from rapidfuzz.distance import OSA

    size = len(word)
    known = [found for letter in {*word[:2]} for found in _beginning(vocabulary, letter) if len(found) >= size - edits]
    whole = [found for found in known if len(found) <= size + edits]
    longer = [found for found in known if len(found) > size]
    for words, compared in ((whole, whole), (longer, [found[:size] for found in longer])):
        for text, errors, number in process.extract(
            word, compared, scorer=OSA.distance, score_cutoff=edits, limit=_MAX_NEAR
        ):
            yield words[number], text, int(errors)


def _beginning(ordered: Sequence[str], letter: str) -> Sequence[str]:
    return ordered[bisect_left(ordered, letter) : bisect_left(ordered, letter + "\U0010ffff")]
