"""Components that came or went. What that does to a value is told where the value is used."""

from collections.abc import Iterator

from trading_api.codegen.differ.change import Located, harmless
from trading_api.codegen.differ.document import Document, node
from trading_api.codegen.differ.shape import fingerprint


def diff_models(old: Document, new: Document) -> Iterator[Located]:
    """Models added and removed; a model that only got another name is neither."""
    was, now = _models(old), _models(new)
    gone = {name: fingerprint(old, was[name]) for name in was.keys() - now.keys()}
    come = {name: fingerprint(new, now[name]) for name in now.keys() - was.keys()}
    renamed = set(gone.values()) & set(come.values())
    for name in sorted(name for name, print_ in gone.items() if print_ not in renamed):
        yield Located("models", name, harmless("model.removed", "removed"), "both")
    for name in sorted(name for name, print_ in come.items() if print_ not in renamed):
        yield Located("models", name, harmless("model.added", "added"), "both")


def _models(document: Document) -> dict[str, object]:
    components = node(node(document.root.get("components")).get("schemas"))
    # By reference, so that a model that holds itself looks the same under another name.
    return {name: {"$ref": f"#/components/schemas/{_escape(name)}"} for name in components}


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
