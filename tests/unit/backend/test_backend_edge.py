"""The edge: request ids, the bound on bodies, and the net under everything (A08)."""

import asyncio
import logging
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from support.backend_calls import Json, call, call_websocket, run_app

from trading_api.shared.edge import edge
from trading_api.shared.edge.body_limit import DEFAULT_BODY_LIMIT
from trading_api.shared.request_id import accept_request_id, current_request_id


async def read_all(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the id of the request, once its body has been read."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": current_request_id().encode()})


def send_chunks(
    app: ASGIApp, chunks: Sequence[bytes], headers: Sequence[tuple[bytes, bytes]] = ()
) -> tuple[list[Message], int]:
    """What `app` sends for a body sent in chunks, and how many of them it took."""
    sent: list[Message] = []
    left = list(chunks)

    async def receive() -> Message:
        chunk = left.pop(0)
        return {"type": "http.request", "body": chunk, "more_body": bool(left)}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Json = {"type": "http", "method": "POST", "path": "/x", "query_string": b"", "headers": list(headers)}
    run_app(edge(app), scope, receive, send)
    return sent, len(chunks) - len(left)


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\tb", "id;rm", "ä", "../x", "a\r\nX: y"])
def test_A08_an_unfit_request_id_is_replaced(sent: str) -> None:
    made = accept_request_id(sent)
    assert made != sent
    assert len(made) == 32
    assert int(made, 16) >= 0


@given(sent=st.from_regex(r"[A-Za-z0-9._-]{1,64}", fullmatch=True))
def test_A08_a_fit_request_id_is_kept(sent: str) -> None:
    assert accept_request_id(sent) == sent


def test_A08_request_id_is_known_inside_and_sent_back() -> None:
    response = call(edge(read_all), "/", headers={"X-Request-ID": "abc-1"})
    assert response.text == response.headers["x-request-id"] == "abc-1"
    made = [call(edge(read_all), "/").headers["x-request-id"] for _ in range(2)]
    assert made[0] != made[1]
    assert current_request_id() == ""


def test_A08_concurrent_requests_keep_their_own_ids() -> None:
    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.sleep(0)
        await read_all(scope, receive, send)

    async def ask(name: str) -> bytes:
        sent: list[Message] = []

        async def receive() -> Message:
            await asyncio.sleep(0)
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            sent.append(message)

        await edge(slow)({"type": "http", "path": "/", "headers": [(b"x-request-id", name.encode())]}, receive, send)
        body: bytes = sent[1]["body"]
        return body

    async def run() -> list[bytes]:
        return await asyncio.gather(*(ask(f"id-{number}") for number in range(20)))

    assert asyncio.run(run()) == [f"id-{number}".encode() for number in range(20)]


def test_A08_websockets_have_request_ids_too() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(current_request_id())
        await receive()
        await send({"type": "websocket.accept", "headers": [(b"a", b"b")]})

    (accepted,) = call_websocket(edge(app), "/ws", [], {"X-Request-ID": "ws-1"})
    assert seen == ["ws-1"]
    assert accepted["headers"] == [(b"a", b"b"), (b"x-request-id", b"ws-1")]


def test_A08_a_body_that_declares_too_much_is_refused_unread() -> None:
    length = str(DEFAULT_BODY_LIMIT + 1).encode()
    sent, taken = send_chunks(read_all, [b"x"], [(b"content-length", length)])
    assert (sent[0]["status"], taken) == (413, 0)
    assert (b"connection", b"close") in sent[0]["headers"]


def test_A08_a_declared_size_of_absurd_length_is_refused() -> None:
    assert send_chunks(read_all, [b"x"], [(b"content-length", b"9" * 5000)])[0][0]["status"] == 413


def test_A08_a_body_that_grows_too_large_is_read_no_further() -> None:
    refused: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await read_all(scope, receive, send)
        except HTTPException as error:
            refused.append(error.status_code)

    chunk = b"x" * (DEFAULT_BODY_LIMIT // 2)
    _, taken = send_chunks(app, [chunk, chunk, b"x", chunk])
    assert (refused, taken) == ([413], 3)


@pytest.mark.parametrize("headers", [[], [(b"content-length", b"nonsense")]])
def test_A08_a_body_of_the_largest_size_passes(headers: list[tuple[bytes, bytes]]) -> None:
    sent, _ = send_chunks(read_all, [b"x" * DEFAULT_BODY_LIMIT], headers)
    assert sent[0]["status"] == 200


def test_A08_a_crash_after_the_answer_began_is_logged_and_not_answered_again(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("late")

    sent, _ = send_chunks(app, [b""])
    assert [message["type"] for message in sent] == ["http.response.start"]
    assert "unhandled error: POST /x" in caplog.text


@pytest.mark.parametrize("accept", [True, False])
def test_A08_a_crash_of_a_websocket_is_logged_and_closes_it(accept: bool, caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if accept:
            await send({"type": "websocket.accept"})
        raise RuntimeError("boom")

    assert call_websocket(edge(app), "/ws", [])[-1] == {"type": "websocket.close", "code": 1011}
    assert "unhandled error: WEBSOCKET /ws" in caplog.text


def test_A08_a_client_that_left_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        websocket = WebSocket(scope, receive, send)
        await websocket.accept()
        with pytest.raises(WebSocketDisconnect):
            await websocket.receive_text()
        raise WebSocketDisconnect

    with caplog.at_level(logging.INFO):
        assert [message["type"] for message in call_websocket(edge(app), "/ws", [])] == ["websocket.accept"]
    assert not caplog.records


def test_A08_a_crash_after_a_websocket_ended_sends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await receive()
        raise RuntimeError("too late")

    assert call_websocket(edge(app), "/ws", []) == []
    assert "too late" in caplog.text


def test_A08_the_bound_on_bodies_can_be_set() -> None:
    assert call(edge(read_all, 10), "/", "POST", content=b"x" * 10).status_code == 200
    assert call(edge(read_all, 10), "/", "POST", content=b"x" * 11).status_code == 413
