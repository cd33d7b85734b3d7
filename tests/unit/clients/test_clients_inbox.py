"""The runtime of generated clients: what waits for a slow reader of a route that conflates (G04, W06)."""

import asyncio
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.codegen.client_runtime import Gap, Json, Reconnected, SlowConsumer, StreamRoute, Update
from trading_api.codegen.client_runtime.json_pointer import pointed
from trading_api.codegen.client_runtime.stream_inbox import Inbox, Raw

KEYED: StreamRoute[object, object] = StreamRoute("quotes", Json[object](object), conflate=True, key="/n")


def inbox(route: StreamRoute[object, object] = KEYED, size: int = 3) -> Inbox[object]:
    return Inbox(route, size, None)


def put(box: Inbox[object], updates: Iterable[tuple[object, int]]) -> None:
    for name, value in updates:
        box.put(Raw({"n": name, "v": value}, None))


def drain(box: Inbox[object], count: int) -> list[object]:
    async def take() -> list[object]:
        return [await box.get() for _ in range(count)]

    return asyncio.run(take())


def update(name: object, value: int) -> Update[object]:
    return Update({"n": name, "v": value})


def test_W06_a_rarely_updated_symbol_keeps_its_only_update() -> None:
    box = inbox()
    put(box, [("rare", 1), *(("busy", value) for value in range(100))])
    assert drain(box, 2) == [update("rare", 1), update("busy", 99)]
    assert box.dropped == 99


def test_W06_what_was_read_is_replaced_no_more() -> None:
    box = inbox()
    put(box, [("a", 1)])
    assert drain(box, 1) == [update("a", 1)]
    put(box, [("a", 2)])
    assert drain(box, 1) == [update("a", 2)]
    assert box.dropped == 0


def test_W06_more_keys_than_places_lose_none_unknowingly() -> None:
    box = inbox(size=2)
    put(box, [("a", 1), ("b", 1), ("c", 1)])
    assert drain(box, 2) == [update("a", 1), update("b", 1)]
    with pytest.raises(SlowConsumer, match="quotes: 2 updates wait"):
        drain(box, 1)


def test_W06_without_a_key_the_oldest_goes_when_the_queue_is_full() -> None:
    box = inbox(StreamRoute("quotes", Json[object](object), conflate=True), size=2)
    put(box, [("a", 1), ("b", 1), ("c", 1)])
    assert drain(box, 2) == [update("b", 1), update("c", 1)]


def test_W06_a_key_means_nothing_where_no_update_may_be_missed() -> None:
    box = inbox(StreamRoute("bars", Json[object](object), key="/n"))
    put(box, [("a", 1), ("a", 2)])
    assert drain(box, 2) == [update("a", 1), update("a", 2)]


def test_W06_updates_without_their_key_and_events_are_kept_apart() -> None:
    box = inbox(size=5)
    box.put(Raw({}, None))
    box.put(Raw({}, None))
    box.put(Reconnected())
    box.put(Gap("why"))
    box.put(Raw("text", None))
    assert drain(box, 5) == [Update({}), Update({}), Reconnected(), Gap("why"), Update("text")]


@given(st.lists(st.tuples(st.sampled_from([1, "1", "a", None]), st.integers())))
def test_W06_a_slow_reader_gets_the_newest_of_each_key(updates: list[tuple[object, int]]) -> None:
    box = inbox(size=4)
    put(box, updates)
    newest = {repr(name): update(name, value) for name, value in updates}
    assert drain(box, len(newest)) == list(newest.values())
    assert box.dropped == len(updates) - len(newest)


@pytest.mark.parametrize(
    ("pointer", "found"),
    [("/a", {"b/c": [5, {"~": 6}]}), ("/a/b~1c/0", 5), ("/a/b~1c/1/~0", 6)],
)
def test_W06_a_pointer_leads_into_objects_and_lists(pointer: str, found: object) -> None:
    assert pointed(pointer, {"a": {"b/c": [5, {"~": 6}]}}) == found


@pytest.mark.parametrize("pointer", ["/b", "/a/2", "/a/-1", "/a/0/x", "/a/x"])
def test_W06_a_pointer_that_leads_nowhere_says_so(pointer: str) -> None:
    with pytest.raises(LookupError):
        pointed(pointer, {"a": ["text", "other"]})
