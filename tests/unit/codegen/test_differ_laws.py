"""Laws of the differ, over generated schemas (G03)."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.contracts_small import Json, openapi, ref

from trading_api.codegen.differ import Change, diff_openapi

NAMES = st.sampled_from(["a", "b", "title", "type", "properties"])
COMPONENTS = ("One", "Two")


def scalars() -> st.SearchStrategy[Json]:
    return st.one_of(
        st.just({}),
        st.builds(lambda kind: {"type": kind}, st.sampled_from(["string", "integer", "number", "boolean"])),
        st.builds(lambda low: {"type": "number", "minimum": low}, st.integers(0, 3)),
        st.builds(lambda most: {"type": "string", "maxLength": most}, st.integers(1, 3)),
        st.builds(
            lambda values: {"type": "string", "enum": sorted(values)},
            st.sets(st.sampled_from(["x", "y", "z"]), min_size=1),
        ),
        st.builds(lambda value: {"type": "string", "default": value}, st.sampled_from(["x", "y"])),
        st.builds(lambda kind: {"type": "string", "format": kind}, st.sampled_from(["date", "uuid"])),
        st.sampled_from([ref(name) for name in COMPONENTS]),
    )


def composed(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    return st.one_of(
        st.builds(lambda item: {"type": "array", "items": item}, inner),
        st.builds(lambda parts: {"anyOf": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda item: {"anyOf": [item, {"type": "null"}]}, inner),
        objects(inner),
    )


def objects(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    def build(properties: dict[str, Json], required: set[str]) -> Json:
        return {"type": "object", "properties": properties, "required": sorted(required & properties.keys())}

    return st.builds(build, st.dictionaries(NAMES, inner, max_size=3), st.sets(NAMES, max_size=3))


SCHEMAS = st.recursive(scalars(), composed, max_leaves=6)
DOCUMENTS = st.builds(
    lambda sent, read, one, two: openapi(request=sent, response=read, schemas={"One": one, "Two": two}),
    SCHEMAS,
    SCHEMAS,
    objects(SCHEMAS),
    objects(SCHEMAS),
)


def reworded(value: Any, chance: random.Random) -> Any:
    """`value` with its keys in another order, and other descriptions on what is a schema."""
    if isinstance(value, list):
        return [reworded(item, chance) for item in value]
    if not isinstance(value, dict):
        return value
    keys = list(value)
    chance.shuffle(keys)
    made = {key: reworded(value[key], chance) for key in keys}
    if isinstance(value.get("type"), str) or "anyOf" in value or "$ref" in value:
        made["description"] = f"text {chance.random()}"
    return made


@given(DOCUMENTS)
def test_G03_a_document_does_not_differ_from_itself(document: Json) -> None:
    assert diff_openapi(document, {**document}) == []
    assert diff_openapi(document, {**document, "info": {"title": "another", "version": "v1"}}) == []


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_G03_order_and_descriptions_mean_nothing(document: Json, chance: random.Random) -> None:
    assert diff_openapi(document, reworded(document, chance)) == []


@given(DOCUMENTS, DOCUMENTS)
@settings(deadline=None)
def test_G03_what_one_direction_adds_the_other_removes(one: Json, other: Json) -> None:
    there, back = diff_openapi(one, other), diff_openapi(other, one)
    assert bool(there) == bool(back)
    assert _counts(there) == {_flipped(kind): count for kind, count in _counts(back).items()}


def _counts(changes: list[Change]) -> dict[str, int]:
    found: dict[str, int] = {}
    for change in changes:
        found[change.kind] = found.get(change.kind, 0) + 1 + change.also
    return found


def _flipped(kind: str) -> str:
    stem, _, end = kind.rpartition(".")
    return f"{stem}.{ {'added': 'removed', 'removed': 'added'}.get(end, end) }"


@given(SCHEMAS, SCHEMAS)
def test_G03_a_change_breaks_a_request_exactly_when_its_reverse_breaks_a_response(one: Json, other: Json) -> None:
    """Narrower for the sender is wider for the reader. Fields removed, and defaults, are not so; they are left out."""
    schemas = {"One": {"type": "object"}, "Two": {"type": "string"}}
    sent = diff_openapi(openapi(request=one, schemas=schemas), openapi(request=other, schemas=schemas))
    read = diff_openapi(openapi(response=other, schemas=schemas), openapi(response=one, schemas=schemas))
    assert _breaking(sent) == _breaking(read)


def _breaking(changes: list[Change]) -> bool:
    odd = ("property.removed", "property.added", "default.changed")
    return any(change.breaking for change in changes if change.kind not in odd)
