"""Compares two schemas and all that they are made of."""

from collections.abc import Iterator, Sequence

from trading_api.codegen.differ.change import Direction, Finding, Located, harmless, narrowed, replaced, widened
from trading_api.codegen.differ.document import Document, Node, items, node
from trading_api.codegen.differ.rules import INNER_RULES, OUTER_RULES
from trading_api.codegen.differ.shape import Shape, expand
from trading_api.codegen.differ.unions import match


class SchemaDiff:
    """Compares schemas of two documents at one place, for one direction. Each pair of components is compared once."""

    def __init__(self, old: Document, new: Document, place: str, direction: Direction) -> None:
        self._old, self._new = old, new
        self._place, self._direction = place, direction
        self._seen: set[tuple[str, str]] = set()

    def compare(self, old: object, new: object, subject: str = "") -> Iterator[Located]:
        """What differs between two schemas. `subject` is how the value is called at its place."""
        was, now = expand(self._old, old), expand(self._new, new)
        name = now.name or was.name or subject
        for rule in OUTER_RULES:
            yield from self._locate(subject or name, rule(was, now))
        if was.name and now.name:
            if (was.name, now.name) in self._seen:
                return
            self._seen.add((was.name, now.name))
        yield from self._inside(was, now, name)

    def _inside(self, was: Shape, now: Shape, subject: str) -> Iterator[Located]:
        if (was.branches or now.branches) and "any" not in (was.type, now.type):
            yield from self._union(was, now, subject)
            return
        changed = list(type_change(was.type, now.type))
        yield from self._locate(subject, changed)
        if any(finding.request and finding.response for finding in changed) or "any" in (was.type, now.type):
            # Of two different kinds of value, the rest cannot be compared.
            return
        for rule in INNER_RULES:
            yield from self._locate(subject, rule(was, now))
        yield from self._object(was, now, subject)
        yield from self._array(was, now, subject)

    def _locate(self, subject: str, findings: Iterator[Finding] | Sequence[Finding]) -> Iterator[Located]:
        return (Located(self._place, subject, finding, self._direction) for finding in findings)

    def _union(self, was: Shape, now: Shape, subject: str) -> Iterator[Located]:
        """A branch added breaks readers, a branch removed breaks senders."""
        pairs, removed, added = match(self._old, self._new, _branches(was), _branches(now))
        yield from self._locate(subject, [widened("union.added", f"{_name(self._new, one)} added") for one in added])
        gone = [narrowed("union.removed", f"{_name(self._old, one)} removed") for one in removed]
        yield from self._locate(subject, gone)
        yield from self._locate(subject, list(_discriminator(was, now)))
        for old, new in pairs:
            yield from self.compare(old, new, subject)

    def _object(self, was: Shape, now: Shape, subject: str) -> Iterator[Located]:
        yield from self._locate(subject, list(_property_changes(was, now)))
        for key in sorted(was.properties.keys() & now.properties.keys()):
            yield from self.compare(was.properties[key], now.properties[key], _join(subject, key))
        yield from self._extra(was, now, subject)

    def _extra(self, was: Shape, now: Shape, subject: str) -> Iterator[Located]:
        """Fields that are not named: forbidden now breaks senders; allowed now breaks nobody, for readers ignore them.

        Where they have a schema (a mapping), that is compared.
        """
        if was.type != "object" or now.type != "object":
            return
        old, new = was.body.get("additionalProperties", True), now.body.get("additionalProperties", True)
        if isinstance(old, bool) and isinstance(new, bool):
            if old != new:
                judge = harmless if new else narrowed
                what = "further fields are allowed now" if new else "further fields are refused now"
                yield from self._locate(subject, [judge("extra.added" if new else "extra.removed", what)])
            return
        yield from self.compare(old, new, f"{subject}{{}}")

    def _array(self, was: Shape, now: Shape, subject: str) -> Iterator[Located]:
        old, new = items(was.body.get("prefixItems")), items(now.body.get("prefixItems"))
        if len(old) != len(new):
            yield from self._locate(subject, [replaced("tuple.changed", f"{len(old)} -> {len(new)} items")])
            return
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from self.compare(one, other, f"{subject}[{index}]")
        if "items" in was.body or "items" in now.body:
            yield from self.compare(was.body.get("items", True), now.body.get("items", True), f"{subject}[]")


def type_change(was: str, now: str) -> Iterator[Finding]:
    """Every integer is a number, and everything is any; between other types nothing is common."""
    if was == now:
        return
    what = f"{was} -> {now}"
    if now == "any" or (was, now) == ("integer", "number"):
        yield widened("type.changed", what)
    elif was == "any" or (was, now) == ("number", "integer"):
        yield narrowed("type.changed", what)
    else:
        yield replaced("type.changed", what)


def _property_changes(was: Shape, now: Shape) -> Iterator[Finding]:
    """A field removed breaks both sides: who reads it misses it; who sends it is no longer heard, or is refused.

    A field added breaks senders if they must send it. Required → optional breaks readers, the other way senders.
    """
    old, new = was.properties.keys(), now.properties.keys()
    for key in sorted(old - new):
        yield replaced("property.removed", "removed", _at(key))
    for key in sorted(new - old):
        needed = key in now.required
        yield (narrowed if needed else harmless)("property.added", f"added{', required' if needed else ''}", _at(key))
    for key in sorted(old & new):
        if (key in was.required) != (key in now.required):
            needed = key in now.required
            kind, what = ("required.added", "required now") if needed else ("required.removed", "optional now")
            yield (narrowed if needed else widened)(kind, what, _at(key))


def _discriminator(was: Shape, now: Shape) -> Iterator[Finding]:
    """The field that tells the branches of a union apart. That one appears or goes changes no value."""
    old = node(was.body.get("discriminator")).get("propertyName")
    new = node(now.body.get("discriminator")).get("propertyName")
    if old != new:
        judge = replaced if old and new else harmless
        yield judge("discriminator.changed", f"told apart by {old or 'nothing'} -> {new or 'nothing'}")


def _branches(shape: Shape) -> tuple[Node, ...]:
    return shape.branches or (shape.body,)


def _name(document: Document, schema: Node) -> str:
    shape = expand(document, schema)
    return shape.name or shape.type


def _at(key: str) -> str:
    return f".{key}"


def _join(subject: str, key: str) -> str:
    return f"{subject}.{key}" if subject else key
