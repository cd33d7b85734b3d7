"""Shape: a JSON schema brought to one form, so that two ways of writing the same are equal."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trading_api.codegen.differ.document import ANNOTATIONS, Document, Node, items, node, texts

_NULL: Node = {"type": "null"}
_UNIONS = ("anyOf", "oneOf")
# Keys of which any one says that not every value is allowed.
_BINDING = ("type", "enum", "const", "properties", "items", "allOf", "not")


@dataclass(frozen=True, slots=True)
class Shape:
    """A schema with references followed, `allOf` merged and null taken out.

    `name` is the component it came from, or "". `branches` are the alternatives of a union, two or more, null not among
    them; empty where there is no choice, and then `body` is the schema itself.
    """

    name: str
    body: Node
    nullable: bool
    branches: tuple[Node, ...] = ()

    @property
    def type(self) -> str:
        """The JSON type, also where the schema only implies it; "any" where every type is allowed, or "union"."""
        if self.branches:
            return "union"
        stated = self.body.get("type")
        if isinstance(stated, str):
            return stated
        if values := items(self.body.get("enum")):
            kinds = {_type_of(value) for value in values}
            return kinds.pop() if len(kinds) == 1 else "any"
        return "object" if "properties" in self.body else "array" if "items" in self.body else "any"

    @property
    def properties(self) -> Node:
        return node(self.body.get("properties"))

    @property
    def required(self) -> frozenset[str]:
        return texts(self.body.get("required")) & frozenset(self.properties)


def expand(document: Document, schema: object) -> Shape:
    """The shape of `schema`, which is part of `document`."""
    body, name = document.resolve(_as_node(schema))
    body = _merge_all_of(document, body)
    alternatives = list(_alternatives(document, body, frozenset({name} - {""})))
    solid = [one for one in alternatives if not _is_null(document, one)]
    nullable = len(solid) < len(alternatives) or body.get("nullable") is True
    beside = {key: value for key, value in body.items() if key not in (*_UNIONS, "nullable")}
    if len(solid) > 1:
        return Shape(name, beside, nullable, tuple(solid))
    if not solid:
        return Shape(name, _NULL, nullable=True)
    inner, inner_name = document.resolve(solid[0])
    merged = _plain({**_merge_all_of(document, inner), **_outer(beside, body)})
    return Shape(inner_name or name, merged, nullable or not any(key in merged for key in _BINDING))


def fingerprint(document: Document, schema: object, path: tuple[str, ...] = ()) -> str:
    """A text that is equal for schemas that allow the same: references expanded, names and descriptions left out."""
    return json.dumps(_expanded(document, schema, path), sort_keys=True)


def _expanded(document: Document, value: object, path: tuple[str, ...]) -> object:
    if isinstance(value, Mapping):
        body, name = document.resolve(value) if "$ref" in value else (value, "")
        if name and name in path:
            # A cycle, told by its length and not by its names.
            return {"cycle": path[::-1].index(name)}
        below = (*path, name) if name else path
        # Names of properties are no keywords: one may be called `title`.
        return {
            key: (
                {inner: _expanded(document, part, below) for inner, part in item.items()}
                if key == "properties" and isinstance(item, Mapping)
                else sorted(texts(item)) if key == "required" else _expanded(document, item, below)
            )
            for key, item in body.items()
            if key not in ANNOTATIONS
        }
    if isinstance(value, list | tuple):
        return [_expanded(document, item, path) for item in value]
    return value


def _as_node(schema: object) -> Node:
    """`true` allows everything, `false` nothing."""
    return {"not": {}} if schema is False else node(schema)


def _outer(beside: Node, body: Node) -> Node:
    """What stands beside a union of one and null, such as its default. A plain schema is its own alternative."""
    return beside if any(key in body for key in _UNIONS) else {}


def _plain(body: Node) -> Node:
    """`const` as an enumeration of one; null out of an enumeration; a list of one type as that type."""
    plain = dict(body)
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    plain.pop("nullable", None)
    return plain


def _merge_all_of(document: Document, body: Node) -> Node:
    """`allOf` as one schema: properties and required fields together, of other keys the last one."""
    if "allOf" not in body:
        return body
    merged: dict[str, object] = {}
    own = {key: value for key, value in body.items() if key != "allOf"}
    for part in (*items(body["allOf"]), own):
        one = _merge_all_of(document, document.resolve(part)[0])
        properties = {**node(merged.get("properties")), **node(one.get("properties"))}
        required = sorted(texts(merged.get("required")) | texts(one.get("required")))
        merged.update(one)
        merged.update({"properties": properties} if properties else {})
        merged.update({"required": required} if required else {})
    return merged


def _alternatives(document: Document, body: Node, seen: frozenset[str]) -> Iterator[Node]:
    """Every alternative of a schema; unions within unions are laid flat."""
    for key in _UNIONS:
        if key in body:
            for branch in items(body[key]):
                yield from _flattened(document, branch, seen)
            return
    kinds, values = body.get("type"), items(body.get("enum"))
    if isinstance(kinds, list):
        yield from ({**body, "type": kind} if kind != "null" else _NULL for kind in kinds)
    elif None in values and len(values) > 1:
        yield {**body, "enum": [value for value in values if value is not None]}
        yield _NULL
    else:
        yield body


def _flattened(document: Document, branch: object, seen: frozenset[str]) -> Iterator[Node]:
    body, name = document.resolve(_as_node(branch))
    if name and name in seen:
        return
    if any(key in body for key in _UNIONS) or isinstance(body.get("type"), list):
        yield from _alternatives(document, body, seen | {name})
    else:
        yield node(branch) if isinstance(branch, Mapping) else body


def _is_null(document: Document, schema: Node) -> bool:
    body = document.resolve(schema)[0]
    return body.get("type") == "null" or ("const" in body and body["const"] is None)


def _type_of(value: object) -> str:
    if isinstance(value, bool):
        return "boolean"
    names = {int: "integer", float: "number", str: "string", dict: "object", list: "array"}
    return names.get(type(value), "any")
