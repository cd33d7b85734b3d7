"""The rules for two schemas of one type: each compares one keyword. They do not look into the parts."""

from collections.abc import Callable, Iterator
from fractions import Fraction

from trading_api.codegen.differ.change import Finding, harmless, narrowed, replaced, widened
from trading_api.codegen.differ.document import ANNOTATIONS, Node, items, literal
from trading_api.codegen.differ.shape import Shape

Rule = Callable[[Shape, Shape], Iterator[Finding]]

# From the narrower format to the wider one: every value of the first is one of the second.
_WIDER_FORMATS = {("int32", "int64"), ("float", "double")}
# They say how to hold a number, not which numbers come.
_HOLDERS = frozenset({"decimal", "float", "double", None})
_LEAST = ("minLength", "minItems", "minProperties", "minContains")
_MOST = ("maxLength", "maxItems", "maxProperties", "maxContains")
_UNDERSTOOD = frozenset(
    {"type", "format", "enum", "const", "default", "deprecated", "discriminator", "nullable", "anyOf", "oneOf", "allOf"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "uniqueItems"}
    | {"properties", "required", "additionalProperties", "items", "prefixItems", "$ref", *_LEAST, *_MOST, *ANNOTATIONS}
)


def nullability(old: Shape, new: Shape) -> Iterator[Finding]:
    """Null allowed: breaks readers. Null no longer allowed: breaks senders. Any value includes null."""
    if "any" in (old.type, new.type):
        return
    if new.nullable and not old.nullable:
        yield widened("null.added", "may be null now")
    if old.nullable and not new.nullable:
        yield narrowed("null.removed", "may not be null any more")


def default(old: Shape, new: Shape) -> Iterator[Finding]:
    """Another default breaks senders: who leaves the field out gets something else. A default that appears or goes

    only says, or stops saying, what the server does.
    """
    was, now = "default" in old.body, "default" in new.body
    if was and now and _differ(old.body["default"], new.body["default"]):
        what = f"default {literal(old.body['default'])} -> {literal(new.body['default'])}"
        yield narrowed("default.changed", what)
    elif now and not was:
        yield harmless("default.added", f"default {literal(new.body['default'])} added")
    elif was and not now:
        yield harmless("default.removed", f"default {literal(old.body['default'])} removed")


def deprecation(old: Shape, new: Shape) -> Iterator[Finding]:
    """Breaks nobody yet."""
    if (old.body.get("deprecated") is True) != (new.body.get("deprecated") is True):
        now = new.body.get("deprecated") is True
        yield harmless("deprecated.added" if now else "deprecated.removed", "deprecated" if now else "not deprecated")


def format_(old: Shape, new: Shape) -> Iterator[Finding]:
    """A format that appears narrows, one that goes widens; how a number is held (`decimal`) is the client's affair."""
    was, now = old.body.get("format"), new.body.get("format")
    if was == now:
        return
    what = f"format {was or 'none'} -> {now or 'none'}"
    if old.type in ("number", "integer") and {was, now} <= _HOLDERS:
        yield harmless("format.changed", what)
    elif was is None or (now, was) in _WIDER_FORMATS:
        yield narrowed("format.changed", what)
    elif now is None or (was, now) in _WIDER_FORMATS:
        yield widened("format.changed", what)
    else:
        yield replaced("format.changed", what)


def enumeration(old: Shape, new: Shape) -> Iterator[Finding]:
    """A value added breaks readers, a value removed breaks senders; likewise the whole enumeration, the other way."""
    was, now = _enum(old.body), _enum(new.body)
    if was is None and now is not None:
        yield narrowed("enum.added", f"only {', '.join(map(literal, now))} now")
    elif was is not None and now is None:
        yield widened("enum.removed", "any value now, formerly an enumeration")
    elif was is not None and now is not None:
        for value in _missing(now, was):
            yield widened("enum.value.added", f"enum value {literal(value)} added")
        for value in _missing(was, now):
            yield narrowed("enum.value.removed", f"enum value {literal(value)} removed")


def bounds(old: Shape, new: Shape) -> Iterator[Finding]:
    """Least and greatest: tighter breaks senders, looser breaks readers (a generated client checks what it reads)."""
    yield from _bound("minimum", _lower(old.body), _lower(new.body), sign=1)
    yield from _bound("maximum", _upper(old.body), _upper(new.body), sign=-1)
    for keyword in _LEAST:
        yield from _bound(keyword, _count(old.body, keyword), _count(new.body, keyword), sign=1)
    for keyword in _MOST:
        yield from _bound(keyword, _count(old.body, keyword), _count(new.body, keyword), sign=-1)


def pattern(old: Shape, new: Shape) -> Iterator[Finding]:
    """Two patterns cannot be compared, so another one breaks both sides."""
    was, now = old.body.get("pattern"), new.body.get("pattern")
    if was != now:
        judge = narrowed if was is None else widened if now is None else replaced
        yield judge("constraint.changed", f"pattern {_or_none(was)} -> {_or_none(now)}")


def multiple_of(old: Shape, new: Shape) -> Iterator[Finding]:
    """A step that is a multiple of the former one is tighter."""
    was, now = _number(old.body.get("multipleOf")), _number(new.body.get("multipleOf"))
    if was == now:
        return
    what = f"multipleOf {_or_none(old.body.get('multipleOf'))} -> {_or_none(new.body.get('multipleOf'))}"
    if not was or (now and (now / was).denominator == 1):
        yield narrowed("constraint.changed", what)
    elif not now or (was / now).denominator == 1:
        yield widened("constraint.changed", what)
    else:
        yield replaced("constraint.changed", what)


def uniqueness(old: Shape, new: Shape) -> Iterator[Finding]:
    """Items that must differ: a tighter constraint."""
    was, now = old.body.get("uniqueItems") is True, new.body.get("uniqueItems") is True
    if was != now:
        yield (narrowed if now else widened)("constraint.changed", f"uniqueItems {literal(was)} -> {literal(now)}")


def other_keywords(old: Shape, new: Shape) -> Iterator[Finding]:
    """A keyword that no rule knows counts as breaking when it changes, unless it is an extension (`x-…`)."""
    for keyword in sorted((set(old.body) | set(new.body)) - _UNDERSTOOD):
        was, now = old.body.get(keyword), new.body.get(keyword)
        if was != now:
            judge = harmless if keyword.startswith("x-") else replaced
            yield judge("keyword.changed", f"{keyword} {_or_none(was)} -> {_or_none(now)}")


# What also holds for a union, and for a schema whose type changed.
OUTER_RULES: tuple[Rule, ...] = (nullability, default, deprecation)
INNER_RULES: tuple[Rule, ...] = (format_, enumeration, bounds, pattern, multiple_of, uniqueness, other_keywords)

Bound = tuple[Fraction, bool] | None
"""A number, and whether it is itself excluded."""


def _bound(name: str, was: Bound, now: Bound, *, sign: int) -> Iterator[Finding]:
    """`sign` 1: higher is tighter (a minimum); -1: lower is tighter. An excluded bound is tighter than an included."""
    if was == now:
        return
    tighter = was is None or (now is not None and (sign * now[0], now[1]) > (sign * was[0], was[1]))
    yield (narrowed if tighter else widened)("constraint.changed", f"{name} {_show(was)} -> {_show(now)}")


def _show(bound: Bound) -> str:
    if bound is None:
        return "none"
    value = bound[0]
    return f"{value if value.denominator == 1 else float(value)}{' (excluded)' if bound[1] else ''}"


def _lower(body: Node) -> Bound:
    stated = [(_number(body.get("minimum")), False), (_number(body.get("exclusiveMinimum")), True)]
    return max(((value, out) for value, out in stated if value is not None), default=None)


def _upper(body: Node) -> Bound:
    stated = [(_number(body.get("maximum")), False), (_number(body.get("exclusiveMaximum")), True)]
    known = [(value, out) for value, out in stated if value is not None]
    return min(known, key=lambda bound: (bound[0], not bound[1]), default=None)


def _count(body: Node, keyword: str) -> Bound:
    value = _number(body.get(keyword))
    # At least 0 of something is no bound.
    return None if value is None or (keyword in _LEAST and value == 0) else (value, False)


def _number(value: object) -> Fraction | None:
    return Fraction(str(value)) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _enum(body: Node) -> list[object] | None:
    return list(items(body["enum"])) if "enum" in body else None


def _missing(these: list[object], those: list[object]) -> Iterator[object]:
    """What is in `these` and not in `those`. As JSON, for `1 == True` in Python."""
    known = {literal_key(value) for value in those}
    return (value for value in these if literal_key(value) not in known)


def literal_key(value: object) -> tuple[str, str]:
    """Equal for equal JSON values only; 1 and 1.0 are one number, true is none."""
    number = _number(value)
    return ("number", str(number)) if number is not None else (type(value).__name__, repr(value))


def _differ(was: object, now: object) -> bool:
    return literal_key(was) != literal_key(now)


def _or_none(value: object) -> str:
    return "none" if value is None else literal(value)
