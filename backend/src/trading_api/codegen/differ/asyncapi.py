"""Compares two AsyncAPI documents: routes (channels), operations, messages, delivery."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from trading_api.codegen.differ.change import (
    Change,
    Direction,
    Finding,
    Located,
    collapse,
    harmless,
    replaced,
    widened,
)
from trading_api.codegen.differ.document import Document, Node, items, literal, node
from trading_api.codegen.differ.models import diff_models
from trading_api.codegen.differ.schemas import SchemaDiff


def diff_asyncapi(old: Node, new: Node) -> list[Change]:
    """Every difference that means something, in the order of its place. Operations are seen from the server."""
    if old == new:
        return []
    return collapse(_AsyncApiDiff(Document(old), Document(new)).run())


@dataclass(frozen=True, slots=True)
class _Operation:
    """What the server does on a channel. Messages by name; `replies` is empty where it does not answer."""

    action: str
    route: str
    messages: Mapping[str, Node]
    replies: Mapping[str, Node]

    @property
    def direction(self) -> Direction:
        return "request" if self.action == "receive" else "response"


class _AsyncApiDiff:
    def __init__(self, old: Document, new: Document) -> None:
        self._old, self._new = old, new

    def run(self) -> Iterator[Located]:
        was, now = _channels(self._old), _channels(self._new)
        yield from self._presence("route", was, now)
        for name in sorted(was.keys() & now.keys()):
            yield from (Located(f"route {name}", "", one, "both") for one in _channel_changes(was[name], now[name]))
        yield from self._operations()
        yield from diff_models(self._old, self._new)

    def _presence(self, kind: str, was: Mapping[str, object], now: Mapping[str, object]) -> Iterator[Located]:
        for name in sorted(was.keys() - now.keys()):
            yield Located(f"{kind} {name}", "", replaced(f"{kind}.removed", "removed"), "both")
        for name in sorted(now.keys() - was.keys()):
            yield Located(f"{kind} {name}", "", harmless(f"{kind}.added", "added"), "both")

    def _operations(self) -> Iterator[Located]:
        was, now = _operations(self._old), _operations(self._new)
        yield from self._presence("operation", was, now)
        for name in sorted(was.keys() & now.keys()):
            yield from self._operation(f"operation {name}", was[name], now[name])

    def _operation(self, place: str, was: _Operation, now: _Operation) -> Iterator[Located]:
        if (was.action, was.route) != (now.action, now.route):
            what = f"{was.action} on {was.route} -> {now.action} on {now.route}"
            yield Located(place, "", replaced("operation.changed", what), "both")
            return
        yield from self._messages(place, now.direction, was.messages, now.messages)
        yield from self._messages(place, "response", was.replies, now.replies)

    def _messages(
        self, place: str, direction: Direction, was: Mapping[str, Node], now: Mapping[str, Node]
    ) -> Iterator[Located]:
        """A message that goes breaks both sides; one that is new breaks who reads it, for it is another branch."""
        for name in sorted(was.keys() - now.keys()):
            yield Located(f"{place}: message {name}", "", replaced("message.removed", "removed"), direction)
        for name in sorted(now.keys() - was.keys()):
            yield Located(f"{place}: message {name}", "", widened("message.added", "added"), direction)
        for name in sorted(was.keys() & now.keys()):
            difference = SchemaDiff(self._old, self._new, f"{place}: message {name}", direction)
            yield from difference.compare(was[name].get("payload", True), now[name].get("payload", True))


def _channels(document: Document) -> dict[str, Node]:
    return {name: document.resolve(value)[0] for name, value in node(document.root.get("channels")).items()}


def _operations(document: Document) -> dict[str, _Operation]:
    found = {}
    for name, value in node(document.root.get("operations")).items():
        body = document.resolve(value)[0]
        route = str(node(body.get("channel")).get("$ref", "")).rpartition("/")[2]
        reply = document.resolve(body.get("reply"))[0]
        found[name] = _Operation(
            str(body.get("action")), route, _messages_of(document, body), _messages_of(document, reply)
        )
    return found


def _messages_of(document: Document, body: Node) -> dict[str, Node]:
    """Message name → message: those named, or all of the channel."""
    stated = items(body.get("messages")) or list(
        node(document.resolve(body.get("channel"))[0].get("messages")).values()
    )
    resolved = [document.resolve(value) for value in stated]
    return {str(message.get("name") or name): message for message, name in resolved}


def _channel_changes(was: Node, now: Node) -> Iterator[Finding]:
    if was.get("address") != now.get("address"):
        what = f"address {literal(was.get('address'))} -> {literal(now.get('address'))}"
        yield replaced("address.changed", what)
    for key in sorted({key for key in (*was, *now) if key.startswith("x-")}):
        if was.get(key) != now.get(key):
            what = f"{key.removeprefix('x-')} {literal(was.get(key))} -> {literal(now.get(key))}"
            yield _policy(key, now)("policy.changed", what)


def _policy(key: str, now: Node) -> Callable[[str, str], Finding]:
    """Another way of delivery breaks readers: they get fewer updates, or are closed.

    Durable is more than before; by which key updates replace each other concerns those that wait only.
    """
    better = key == "x-conflate-key" or (key == "x-durable" and now.get(key) is True)
    return harmless if better else replaced
