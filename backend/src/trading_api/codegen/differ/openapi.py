"""Compares two OpenAPI documents: endpoints, parameters, bodies, answers, models."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from trading_api.codegen.differ.change import (
    Change,
    Direction,
    Finding,
    Located,
    collapse,
    harmless,
    narrowed,
    replaced,
    widened,
)
from trading_api.codegen.differ.document import Document, Node, items, literal, node
from trading_api.codegen.differ.models import diff_models
from trading_api.codegen.differ.schemas import SchemaDiff

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


def diff_openapi(old: Node, new: Node) -> list[Change]:
    """Every difference that means something, by place. Empty for documents that only read differently."""
    if old == new:
        return []
    return collapse(_OpenApiDiff(Document(old), Document(new)).run())


@dataclass(frozen=True, slots=True)
class _Operation:
    """One endpoint. `names` are the parameters of its path, in order."""

    label: str
    body: Node
    parameters: Mapping[tuple[str, str], Node]


class _OpenApiDiff:
    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new

    def run(self) -> Iterator[Located]:
        yield from self._addresses()
        was, now = _operations(self._old), _operations(self._new)
        for key in sorted(was.keys() - now.keys()):
            yield _whole(was[key].label, replaced("endpoint.removed", "removed"))
        for key in sorted(now.keys() - was.keys()):
            yield _whole(now[key].label, harmless("endpoint.added", "added"))
        for key in sorted(was.keys() & now.keys()):
            yield from self._operation(was[key], now[key])
        yield from diff_models(self._old, self._new)

    def _addresses(self) -> Iterator[Located]:
        """Another base path breaks every call."""
        was, now = (
            [str(node(one).get("url")) for one in items(document.root.get("servers"))]
            for document in (self._old, self._new)
        )
        if was != now:
            what = f"servers {', '.join(was) or 'none'} -> {', '.join(now) or 'none'}"
            yield _whole("address", replaced("address.changed", what))

    def _operation(self, was: _Operation, now: _Operation) -> Iterator[Located]:
        place = now.label
        yield from (_whole(place, finding) for finding in _own_changes(was.body, now.body))
        yield from self._parameters(place, was, now)
        yield from self._body(place, was.body.get("requestBody"), now.body.get("requestBody"))
        yield from self._responses(place, node(was.body.get("responses")), node(now.body.get("responses")))

    def _parameters(self, place: str, was: _Operation, now: _Operation) -> Iterator[Located]:
        """One that goes breaks senders: what they ask for is no longer heard."""
        for key in sorted(was.parameters.keys() - now.parameters.keys()):
            yield _sent(f"{place}: {_called(key)}", narrowed("parameter.removed", "removed"))
        for key in sorted(now.parameters.keys() - was.parameters.keys()):
            needed = now.parameters[key].get("required") is True
            finding = (narrowed if needed else harmless)("parameter.added", f"added{', required' if needed else ''}")
            yield _sent(f"{place}: {_called(key)}", finding)
        for key in sorted(was.parameters.keys() & now.parameters.keys()):
            yield from self._parameter(f"{place}: {_called(key)}", was.parameters[key], now.parameters[key])

    def _parameter(self, place: str, was: Node, now: Node) -> Iterator[Located]:
        yield from (_sent(place, finding) for finding in _requirement(was, now))
        for key in ("style", "explode", "allowReserved"):
            if was.get(key) != now.get(key):
                what = f"{key} {literal(was.get(key))} -> {literal(now.get(key))}"
                yield _sent(place, replaced("parameter.style.changed", what))
        if (was.get("deprecated") is True) != (now.get("deprecated") is True):
            state = "added" if now.get("deprecated") is True else "removed"
            yield _sent(place, harmless(f"deprecated.{state}", f"deprecation {state}"))
        yield from self._schema(place, "request", was, now)
        yield from self._content(place, "request", was, now)

    def _body(self, place: str, old: object, new: object) -> Iterator[Located]:
        was, now = self._old.resolve(old)[0], self._new.resolve(new)[0]
        place = f"{place}: body"
        if not was and not now:
            return
        if not now:
            yield _sent(place, narrowed("body.removed", "removed"))
        elif not was:
            needed = now.get("required") is True
            finding = (narrowed if needed else harmless)("body.added", f"added{', required' if needed else ''}")
            yield _sent(place, finding)
        else:
            yield from (_sent(place, finding) for finding in _requirement(was, now))
            yield from self._content(place, "request", was, now)

    def _responses(self, place: str, was: Node, now: Node) -> Iterator[Located]:
        """A success that is new or gone breaks readers, who expect the others; errors come and go."""
        for status in sorted(was.keys() - now.keys()):
            judge = widened if _is_success(status) else harmless
            yield _read(f"{place}: response {status}", judge("response.removed", "removed"))
        for status in sorted(now.keys() - was.keys()):
            judge = widened if _is_success(status) else harmless
            yield _read(f"{place}: response {status}", judge("response.added", "added"))
        for status in sorted(was.keys() & now.keys()):
            old, new = self._old.resolve(was[status])[0], self._new.resolve(now[status])[0]
            yield from self._response(f"{place}: response {status}", old, new)

    def _response(self, place: str, was: Node, now: Node) -> Iterator[Located]:
        yield from self._content(place, "response", was, now)
        old = {name.lower(): value for name, value in node(was.get("headers")).items()}
        new = {name.lower(): value for name, value in node(now.get("headers")).items()}
        for name in sorted(old.keys() ^ new.keys()):
            gone = name in old
            finding = widened("header.removed", "removed") if gone else harmless("header.added", "added")
            yield _read(f"{place}: header {name}", finding)
        for name in sorted(old.keys() & new.keys()):
            one, other = self._old.resolve(old[name])[0], self._new.resolve(new[name])[0]
            yield from self._schema(f"{place}: header {name}", "response", one, other)

    def _content(self, place: str, direction: Direction, was: Node, now: Node) -> Iterator[Located]:
        """A media type that goes breaks both: who sends it is refused, who asks for it gets another."""
        old, new = node(was.get("content")), node(now.get("content"))
        for media in sorted(old.keys() - new.keys()):
            yield Located(place, "", replaced("content.removed", f"{media} removed"), direction)
        for media in sorted(new.keys() - old.keys()):
            # The first content of an answer that had none is read by nobody yet.
            yield Located(place, "", harmless("content.added", f"{media} added"), direction)
        for media in sorted(old.keys() & new.keys()):
            yield from self._schema(place, direction, node(old[media]), node(new[media]))

    def _schema(self, place: str, direction: Direction, was: Node, now: Node) -> Iterator[Located]:
        old, new = was.get("schema", True), now.get("schema", True)
        return SchemaDiff(self._old, self._new, place, direction).compare(old, new)


def _operations(document: Document) -> dict[tuple[str, str], _Operation]:
    """(path with its parameters unnamed, method) → operation."""
    found = {}
    for path, value in node(document.root.get("paths")).items():
        shared = document.resolve(value)[0]
        for method in _METHODS:
            if method in shared:
                body = node(shared[method])
                label = f"{method.upper()} {path}"
                parameters = _parameters_of(document, path, shared, body)
                found[re.sub(r"\{[^}]*\}", "{}", path), method] = _Operation(label, body, parameters)
    return found


def _parameters_of(document: Document, path: str, shared: Node, body: Node) -> dict[tuple[str, str], Node]:
    """(where, name) → parameter. Those of the path go by their position: their name is not on the wire."""
    positions = {name: str(index) for index, name in enumerate(re.findall(r"\{([^}]*)\}", path))}
    found = {}
    for value in (*items(shared.get("parameters")), *items(body.get("parameters"))):
        parameter = document.resolve(value)[0]
        where, name = str(parameter.get("in")), str(parameter.get("name"))
        plain = positions.get(name, name) if where == "path" else name.lower() if where == "header" else name
        found[where, plain] = parameter
    return found


def _own_changes(was: Node, now: Node) -> Iterator[Finding]:
    """The operation id names the method of every generated client, so another one breaks them."""
    if was.get("operationId") != now.get("operationId"):
        what = f"operation id {was.get('operationId')} -> {now.get('operationId')}"
        yield replaced("operation_id.changed", what)
    if (was.get("deprecated") is True) != (now.get("deprecated") is True):
        state = "added" if now.get("deprecated") is True else "removed"
        yield harmless(f"deprecated.{state}", f"deprecation {state}")
    if (was.get("security") or []) != (now.get("security") or []):
        judge = harmless if not now.get("security") else replaced
        yield judge("security.changed", f"security {literal(was.get('security'))} -> {literal(now.get('security'))}")


def _requirement(was: Node, now: Node) -> Iterator[Finding]:
    if (was.get("required") is True) != (now.get("required") is True):
        needed = now.get("required") is True
        what = "required now" if needed else "optional now"
        yield (narrowed if needed else widened)("required.added" if needed else "required.removed", what)


def _called(key: tuple[str, str]) -> str:
    return f"{key[0]} parameter {key[1]}"


def _is_success(status: str) -> bool:
    return status.startswith("2") or status == "default"


def _whole(place: str, finding: Finding) -> Located:
    return Located(place, "", finding, "both")


def _sent(place: str, finding: Finding) -> Located:
    return Located(place, "", finding, "request")


def _read(place: str, finding: Finding) -> Located:
    return Located(place, "", finding, "response")
