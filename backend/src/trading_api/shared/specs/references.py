"""Finds and renames the references in an OpenAPI or AsyncAPI document, and leaves its data alone."""

from collections.abc import Callable, Iterator, Mapping

Target = tuple[str, ...]
"""What a reference points at: `("components", "schemas", "Order")`, `("channels", "bars")`."""

Rename = Callable[[Target], Target]

# Their values are data, however much they look like references.
_DATA = frozenset({"const", "default", "enum", "example"})
# Their keys are names, whatever they look like: a property may be called `default` or `$ref`.
_NAMED = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"}
    | {"headers", "links", "messages", "parameters", "pathItems", "requestBodies", "responses", "schemas"}
    | {"callbacks", "channels", "operations", "paths", "securitySchemes", "variables", "webhooks"}
)


def references(node: object) -> Iterator[Target]:
    """The targets of every reference in `node` to its own document."""
    found: list[Target] = []

    def note(target: Target) -> Target:
        found.append(target)
        return target

    rewritten(node, note)
    yield from found


def rewritten(node: object, rename: Rename) -> object:
    """A copy of `node` with every reference to its own document renamed."""
    if isinstance(node, list):
        return [rewritten(item, rename) for item in node]
    if not isinstance(node, Mapping):
        return node
    return {key: _member(key, value, rename) for key, value in node.items()}


def pointer(target: Target) -> str:
    """`("channels", "a/b")` as `#/channels/a~1b`."""
    return "#/" + "/".join(part.replace("~", "~0").replace("/", "~1") for part in target)


def parse_pointer(text: str) -> Target | None:
    """The parts of `#/channels/a~1b`; None for what is no reference into the same document."""
    if not text.startswith("#/"):
        return None
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in text[2:].split("/"))


def _member(key: str, value: object, rename: Rename) -> object:
    if key in _DATA or (key == "examples" and isinstance(value, list)) or key.startswith("x-"):
        return value
    if key == "$ref" and isinstance(value, str):
        return _renamed(value, rename)
    if key == "discriminator" and isinstance(value, Mapping) and isinstance(value.get("mapping"), Mapping):
        mapping = {name: _mapped(target, rename) for name, target in value["mapping"].items()}
        return {**value, "mapping": mapping}
    if key == "examples" and isinstance(value, Mapping):
        return {name: _example(item, rename) for name, item in value.items()}
    if key in _NAMED and isinstance(value, Mapping):
        return {name: rewritten(item, rename) for name, item in value.items()}
    return rewritten(value, rename)


def _example(example: object, rename: Rename) -> object:
    """A named example: a reference to one, or data."""
    is_reference = isinstance(example, Mapping) and set(example) == {"$ref"}
    return rewritten(example, rename) if is_reference else example


def _mapped(target: str, rename: Rename) -> str:
    """An entry of a discriminator's mapping: a reference, or the bare name of a schema."""
    return _renamed(target, rename) if "/" in target else rename(("components", "schemas", target))[-1]


def _renamed(text: str, rename: Rename) -> str:
    target = parse_pointer(text)
    return text if target is None else pointer(rename(target))
