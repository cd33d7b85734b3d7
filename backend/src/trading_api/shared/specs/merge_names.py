"""Decides which names of several documents must be told apart when the documents become one."""

from collections.abc import Callable, Iterable, Mapping

from trading_api.shared.specs.canonical import Json, fingerprint
from trading_api.shared.specs.references import Target, references

Definitions = Mapping[Target, object]
"""What a document defines, by place: `("components", "schemas", "Order")`."""


def renamings(
    documents: Mapping[str, Definitions], *, distinct: Iterable[Target] = ()
) -> dict[str, Callable[[Target], Target]]:
    """For each module, what a reference in its document becomes.

    A name that several modules define keeps its name where all mean the same; else each gets `module_name`. The targets
    in `distinct` are told apart even if their definitions are equal.
    """
    clashing = _clashing(documents, distinct)
    taken = {target for defined in documents.values() for target in defined} - clashing
    maps: dict[str, dict[Target, Target]] = {module: {} for module in documents}
    for target in sorted(clashing):
        for module in sorted(documents):
            if target in documents[module]:
                maps[module][target] = _free(module, target, taken)
                taken.add(maps[module][target])
    return {module: _renamer(renamed) for module, renamed in maps.items()}


def _clashing(documents: Mapping[str, Definitions], distinct: Iterable[Target]) -> set[Target]:
    """The shared names that do not mean the same: by their own text, or by what that text refers to."""
    bodies: dict[Target, list[object]] = {}
    for defined in documents.values():
        for target, body in defined.items():
            bodies.setdefault(target, []).append(body)
    shared = {target: found for target, found in bodies.items() if len(found) > 1}
    clashing = {target for target in distinct if target in shared}
    clashing |= {target for target, found in shared.items() if len({fingerprint(body) for body in found}) > 1}
    uses = {target: {_definition(used) for used in references(found[0])} for target, found in shared.items()}
    grown = True
    while grown:
        more = {target for target, used in uses.items() if target not in clashing and used & clashing}
        clashing |= more
        grown = bool(more)
    return clashing


def _definition(target: Target) -> Target:
    """The definition that `target` lies in: a component has a section before its name."""
    return target[:3] if target[0] == "components" else target[:2]


def _free(module: str, target: Target, taken: set[Target]) -> Target:
    """`target` with the module before its name, and underscores between them until nobody has that name."""
    *place, name = target
    separator = "_"
    while (renamed := (*place, f"{module}{separator}{name}")) in taken:
        separator += "_"
    return renamed


def _renamer(renamed: Mapping[Target, Target]) -> Callable[[Target], Target]:
    """Renames a target, and what lies below one: `#/channels/bars/messages/update` when `bars` is renamed."""
    lengths = sorted({len(target) for target in renamed}, reverse=True)

    def rename(target: Target) -> Target:
        for length in lengths:
            if target[:length] in renamed:
                return (*renamed[target[:length]], *target[length:])
        return target

    return rename


def component_definitions(document: Json) -> dict[Target, object]:
    """Every component that `document` defines."""
    return {
        ("components", section, name): body
        for section, named in document.get("components", {}).items()
        for name, body in named.items()
    }
