"""Finds which branch of one union was which branch of another."""

from collections.abc import Callable, Sequence

from trading_api.codegen.differ.document import Document, Node
from trading_api.codegen.differ.shape import expand, fingerprint

Key = Callable[[Document, Node], str]
Pair = tuple[Node, Node]


def match(
    old: Document, new: Document, was: Sequence[Node], now: Sequence[Node]
) -> tuple[list[Pair], list[Node], list[Node]]:
    """(pairs that belong together, branches removed, branches added).

    Equal ones belong together first, then those of one component name, then those of one type where there is no choice.
    """
    pairs: list[Pair] = []
    left, right = list(was), list(now)
    for key in (fingerprint, _component, _kind):
        _pair_off(old, new, left, right, key, pairs)
    return pairs, left, right


def _pair_off(old: Document, new: Document, left: list[Node], right: list[Node], key: Key, pairs: list[Pair]) -> None:
    """Move what has one key, alone on each side or equal altogether, from the two lists to `pairs`."""
    for branch in list(left):
        wanted = key(old, branch)
        found = [other for other in right if wanted and key(new, other) == wanted]
        rivals = [other for other in left if key(old, other) == wanted]
        if found and (key is fingerprint or len(found) == len(rivals) == 1):
            pairs.append((branch, found[0]))
            left.remove(branch)
            right.remove(found[0])


def _component(document: Document, branch: Node) -> str:
    return document.resolve(branch)[1]


def _kind(document: Document, branch: Node) -> str:
    kind = expand(document, branch).type
    return "number" if kind == "integer" else kind
