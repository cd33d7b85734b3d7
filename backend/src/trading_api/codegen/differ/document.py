"""Reads parsed JSON without knowing its types, and follows its references."""

import json
from collections.abc import Mapping, Sequence

Node = Mapping[str, object]
# What describes and does not bind: a change of these is none.
ANNOTATIONS = frozenset({"title", "description", "summary", "examples", "example", "externalDocs", "$comment", "tags"})


def node(value: object) -> Node:
    """`value` as an object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[object]:
    """`value` as a list; an empty one for anything else."""
    return value if isinstance(value, list | tuple) else ()


def texts(value: object) -> frozenset[str]:
    """The strings of a list."""
    return frozenset(item for item in items(value) if isinstance(item, str))


def literal(value: object) -> str:
    """A JSON value for a person, at most 60 characters."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 60 else text[:57] + "..."


class Document:
    """A parsed OpenAPI or AsyncAPI document whose references can be followed."""

    def __init__(self, root: Node) -> None:
        self.root = root

    def resolve(self, value: object) -> tuple[Node, str]:
        """What `value` is after every `$ref`, and the name of the last component on the way ("" for none).

        Keys beside a `$ref` win. A reference that leads nowhere, or to itself, gives an empty object.
        """
        body, name, seen = node(value), "", set[str]()
        while isinstance(ref := body.get("$ref"), str):
            beside = {key: item for key, item in body.items() if key != "$ref"}
            if ref in seen:
                return beside, name
            seen.add(ref)
            name = _unescape(ref.rpartition("/")[2])
            body = {**node(self._target(ref)), **beside}
        return body, name

    def _target(self, ref: str) -> object:
        target: object = self.root
        for part in ref.removeprefix("#/").split("/"):
            target = node(target).get(_unescape(part))
        return target


def _unescape(part: str) -> str:
    return part.replace("~1", "/").replace("~0", "~")
