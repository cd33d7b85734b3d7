"""A generated client of everything, run against a transport that plays the server (G04)."""

import asyncio
import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from email.parser import BytesParser
from types import ModuleType
from typing import Any

import httpx
import pytest

ORDER = {
    "id": "1",
    "qty": 0.1,
    "side": 1,
    "colour": "red",
    "format": "price",
    "note": None,
    "time": "2024-01-01T00:00:00Z",
}
Answers = Iterable[httpx.Response | Exception]


class Server:
    """Answers requests one after the other; the last answer for good. Keeps what was asked."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def url(self) -> str:
        return str(self.requests[-1].url)

    @property
    def body(self) -> bytes:
        return self.requests[-1].content


def good(value: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(value))


def run(package: ModuleType, server: Server, use: Callable[[Any], Any], **options: Any) -> Any:
    """What `use(client)` returns; the same of both shells, which is checked."""
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    async def use_async() -> Any:
        transport = httpx.MockTransport(server)
        async with package.SinkClient("http://h:1", transport=transport, sleep=sleep, **options) as client:
            return await use(client)

    first = len(server.requests)
    result = asyncio.run(use_async())
    asked = len(server.requests) - first
    assert asked == len(slept) + 1
    return result


def run_sync(package: ModuleType, server: Server, use: Callable[[Any], Any], **options: Any) -> Any:
    def sleep(_seconds: float) -> None: ...

    transport = httpx.MockTransport(server)
    with package.SinkSyncClient("http://h:1", transport=transport, sleep=sleep, **options) as client:
        return use(client)


def test_G04_the_two_shells_send_the_same_and_have_the_same_methods(sink_package: ModuleType) -> None:
    names = [
        {name for name, _ in inspect.getmembers(kind, inspect.isfunction) if not name.startswith("_")}
        for kind in (sink_package.SinkClient, sink_package.SinkSyncClient)
    ]
    assert names[0] - {"aclose"} == names[1] - {"close"}
    server, other = Server(good(ORDER)), Server(good(ORDER))
    order = sink_package.sink_v1_models.OrderInput(qty=Decimal("0.10"), side=1)
    run(sink_package, server, lambda client: client.place_order(order, idempotency_key="k"))
    run_sync(sink_package, other, lambda client: client.place_order(order, idempotency_key="k"))
    assert str(server.requests[0].url) == str(other.requests[0].url) == "http://h:1/api/v1/sink/orders"
    assert server.body == other.body == b'{"qty":0.10,"side":1}'
    assert server.requests[0].headers["idempotency-key"] == "k"
    assert server.requests[0].headers["content-type"] == "application/json"


def test_G04_parameters_reach_their_places_under_their_own_names(sink_package: ModuleType) -> None:
    server = Server(good([ORDER]))
    models = sink_package.sink_v1_models
    orders = run(
        sink_package,
        server,
        lambda client: client.get_orders(
            from_=5,
            class_="a b",
            tags=["x", "y"],
            ids=[1, 2],
            colour="green",
            side=models.Side.SELL,
            amount=Decimal("1E-8"),
            since=datetime(2024, 1, 1, tzinfo=UTC),
            all=True,
            headers_="h",
        ),
    )
    assert server.url == (
        "http://h:1/api/v1/sink/orders?from=5&class=a%20b&tags=x&tags=y&ids=1%2C2&colour=green&side=-1"
        "&amount=0.00000001&since=2024-01-01T00%3A00%3A00Z&all=true&headers=h"
    )
    assert type(orders[0]) is models.Order
    assert orders[0].qty == Decimal("0.1")


def test_G04_paths_are_quoted_and_an_answer_without_content_is_none(sink_package: ModuleType) -> None:
    server = Server(httpx.Response(204))
    cancel = lambda client: client.cancel_order(order_id="a/b ?ü", class_=7)  # noqa: E731
    assert run(sink_package, server, cancel) is None
    assert server.requests[0].url.raw_path == b"/api/v1/sink/orders/a%2Fb%20%3F%C3%BC/7"
    assert server.requests[0].method == "DELETE"


def test_G04_a_body_may_be_left_out_and_answers_may_differ_by_status(sink_package: ModuleType) -> None:
    models = sink_package.sink_v1_models
    server = Server(good({"success": True}), httpx.Response(204))
    modify = lambda client: client.modify_order(order_id="1", class_=1, body="q")  # noqa: E731
    assert run(sink_package, server, modify) == models.ModifyOrderResponse(success=True)
    assert run(sink_package, server, modify) is None
    assert (server.url, server.body) == ("http://h:1/api/v1/sink/orders/1/1?body=q", b"")


def test_G04_absent_null_aliases_and_unions_in_a_body(sink_package: ModuleType) -> None:
    models, server = sink_package.sink_v1_models, Server(good(ORDER))
    order = models.OrderInput(
        qty=Decimal("100"),
        side=models.Side.BUY,
        limitPrice=None,
        from_=date(2024, 2, 29),
        pets=[models.Cat(kind="cat", lives=9), models.Dog(kind="dog", class_="pug")],
    )
    run(sink_package, server, lambda client: client.place_order(order))
    assert json.loads(server.body) == {
        "qty": 100,
        "side": 1,
        "limitPrice": None,
        "from": "2024-02-29",
        "pets": [{"kind": "cat", "lives": 9}, {"kind": "dog", "class": "pug"}],
    }


def test_G04_unions_are_read_by_their_discriminator_and_lists_of_them_are_sent(sink_package: ModuleType) -> None:
    models = sink_package.sink_v1_models
    server = Server(good({"kind": "dog", "class": "pug", "new": 1}))
    assert run(sink_package, server, lambda client: client.get_pet()) == models.Dog(kind="dog", class_="pug")
    server = Server(good(["a", ["b"]], 201), good(None, 201))
    adopt = lambda client: client.adopt([models.Cat(kind="cat", lives=1)])  # noqa: E731
    assert run(sink_package, server, adopt) == ["a", ["b"]]
    assert run(sink_package, server, adopt) is None
    assert server.body == b'[{"kind":"cat","lives":1}]'


def test_G04_an_answer_of_a_newer_server_is_read(sink_package: ModuleType) -> None:
    newer = {**ORDER, "side": 7, "colour": "mauve", "format": "volume", "more": {}, "mixed": "b", "email": "none"}
    order = run(sink_package, Server(good([newer])), lambda client: client.get_orders())[0]
    assert (order.side, order.colour, order.format, order.mixed) == (7, "mauve", "volume", "b")


def test_G04_an_answer_that_lost_a_field_is_a_decode_error_naming_it(sink_package: ModuleType) -> None:
    older = {key: value for key, value in ORDER.items() if key != "qty"}
    with pytest.raises(sink_package.DecodeError, match=r"getOrders.*0\.qty: Field required"):
        run(sink_package, Server(good([older])), lambda client: client.get_orders())


def test_G04_files_are_uploaded_and_downloaded(sink_package: ModuleType) -> None:
    server = Server(good(3))
    file = sink_package.File(b"\x00\xff", "a.bin")
    assert run(sink_package, server, lambda client: client.upload_file(file=file, more=[b"1", b"2"], note="ü")) == 3
    head = f"Content-Type: {server.requests[0].headers['content-type']}\r\n\r\n".encode()
    parts = list(BytesParser().parsebytes(head + server.body).walk())[1:]
    names = [part.get_param("name", header="content-disposition") for part in parts]
    assert names == ["file", "more", "more", "note"]
    assert [part.get_payload(decode=True) for part in parts] == [b"\x00\xff", b"1", b"2", "ü".encode()]
    assert parts[0].get_filename() == "a.bin"
    server = Server(httpx.Response(200, content=b"\x00\x01"), httpx.Response(200, text="done"))
    assert run(sink_package, server, lambda client: client.download_file()) == b"\x00\x01"
    assert run(sink_package, server, lambda client: client.replace_file(b"a,b")) == "done"
    assert (server.body, server.requests[-1].headers["content-type"]) == (b"a,b", "text/csv")


def test_G04_a_form_is_sent_as_one(sink_package: ModuleType) -> None:
    server = Server(good("hello"), good(5, 201))
    login = lambda client: client.login(user="a&b", pass_="c d")  # noqa: E731
    assert run(sink_package, server, login) == "hello"
    assert server.body == b"user=a%26b&pass=c+d"
    assert run(sink_package, server, login) == 5


def test_G04_a_key_is_made_once_per_call_and_kept_over_retries(sink_package: ModuleType) -> None:
    order = sink_package.sink_v1_models.OrderInput(qty=Decimal(1), side=1)
    server = Server(httpx.ReadTimeout("slow"), httpx.Response(503), good(ORDER))
    run(sink_package, server, lambda client: client.place_order(order))
    first = [request.headers["idempotency-key"] for request in server.requests]
    assert len(first) == 3
    assert len(set(first)) == 1
    run(sink_package, server, lambda client: client.place_order(order))
    assert server.requests[-1].headers["idempotency-key"] != first[0]


@pytest.mark.parametrize("shell", [run, run_sync])
def test_G04_a_post_without_a_key_is_sent_once(sink_package: ModuleType, shell: Callable[..., Any]) -> None:
    server = Server(httpx.ConnectError("refused"))
    with pytest.raises(sink_package.TransportError, match="login: ConnectError: refused") as caught:
        shell(sink_package, server, lambda client: client.login(user="a"))
    assert len(server.requests) == 1
    assert isinstance(caught.value.__cause__, httpx.ConnectError)


@pytest.mark.parametrize("shell", [run, run_sync])
def test_G04_retries_end_with_the_last_error(sink_package: ModuleType, shell: Callable[..., Any]) -> None:
    server = Server(httpx.Response(503, headers={"retry-after": "1", "x-request-id": "r1"}))
    with pytest.raises(sink_package.ServerError, match="request r1") as caught:
        shell(sink_package, server, lambda client: client.get_pet(), retry=sink_package.RetryPolicy(attempts=4))
    assert (caught.value.status, len(server.requests)) == (503, 4)


def test_G04_a_problem_of_the_server_is_typed(sink_package: ModuleType) -> None:
    server = Server(httpx.Response(404, json={"status": 404, "detail": "No such order", "request_id": "r"}))
    with pytest.raises(sink_package.NotFound, match="cancelOrder: 404 No such order") as caught:
        run(sink_package, server, lambda client: client.cancel_order(order_id="x", class_=1))
    assert caught.value.problem == sink_package.Problem(status=404, detail="No such order", request_id="r")


def test_G04_a_redirect_is_not_followed(sink_package: ModuleType) -> None:
    server = Server(httpx.Response(307, headers={"location": "http://elsewhere/"}))
    with pytest.raises(sink_package.ApiError, match="307"):
        run(sink_package, server, lambda client: client.get_pet())
    assert len(server.requests) == 1


def test_G04_headers_timeout_and_api_base_are_the_callers(sink_package: ModuleType) -> None:
    server = Server(good({"kind": "dog"}))
    options = {"headers": {"authorization": "Bearer t"}, "timeout": 0.5, "api_base": "/elsewhere"}
    run(sink_package, server, lambda client: client.get_pet(), **options)
    request = server.requests[0]
    assert request.headers["authorization"] == "Bearer t"
    assert request.extensions["timeout"] == {"connect": 0.5, "read": 0.5, "write": 0.5, "pool": 0.5}
    assert str(request.url) == "http://h:1/elsewhere/v1/sink/pet"


def test_G04_methods_tell_what_the_contract_tells(sink_package: ModuleType) -> None:
    text = inspect.getdoc(sink_package.SinkClient.place_order)
    assert text is not None
    assert text.startswith('Places an order; a "retry" is safe with a \\ key.')
    assert "idempotency_key: Makes a retry safe." in text
    assert "Conflict: No such order." in text
    cancel = inspect.getdoc(sink_package.SinkSyncClient.cancel_order)
    assert cancel is not None
    assert "Deprecated." in cancel
    assert "limit: At most. Default: 30." in (inspect.getdoc(sink_package.SinkClient.get_orders) or "")


class Corrupt(httpx.AsyncByteStream, httpx.SyncByteStream):
    """A body that is not the gzip it is said to be."""

    def __iter__(self) -> Iterator[bytes]:
        yield b"not gzip"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"not gzip"


@pytest.mark.parametrize("shell", [run, run_sync])
@pytest.mark.parametrize("status", [200, 503])
def test_G04_a_corrupt_encoding_is_a_decode_error(
    sink_package: ModuleType, shell: Callable[..., Any], status: int
) -> None:
    server = Server(httpx.Response(status, headers={"content-encoding": "gzip"}, stream=Corrupt()))
    with pytest.raises(sink_package.DecodeError, match="getPet: the answer is not encoded") as caught:
        shell(sink_package, server, lambda client: client.get_pet())
    assert isinstance(caught.value.__cause__, httpx.DecodingError)
    assert len(server.requests) == 1


def subclasses(kind: type[Exception]) -> list[type[Exception]]:
    return [kind, *(found for child in kind.__subclasses__() for found in subclasses(child))]


@pytest.mark.parametrize("shell", [run, run_sync])
@pytest.mark.parametrize("kind", [*subclasses(httpx.RequestError), httpx.InvalidURL])
def test_G04_every_error_of_httpx_is_a_client_error(
    sink_package: ModuleType, shell: Callable[..., Any], kind: type[Exception]
) -> None:
    server = Server(kind("why"))
    with pytest.raises(sink_package.ClientError, match="why") as caught:
        shell(sink_package, server, lambda client: client.login(user="a"))
    assert isinstance(caught.value.__cause__, kind)


@pytest.mark.parametrize("shell", [run, run_sync])
def test_G04_a_url_that_is_too_long_is_a_client_error(sink_package: ModuleType, shell: Callable[..., Any]) -> None:
    server = Server(good([]))
    with pytest.raises(sink_package.TransportError, match="getOrders: InvalidURL: URL too long"):
        shell(sink_package, server, lambda client: client.get_orders(class_="x" * 70_000))
    assert server.requests == []


@pytest.mark.parametrize("text", ["1e9999999999999999999999", '{"detail":1e9999999999999999999999}'])
def test_G04_a_number_beyond_all_bounds_is_a_client_error(sink_package: ModuleType, text: str) -> None:
    with pytest.raises(sink_package.DecodeError, match="exponent beyond all bounds"):
        run(sink_package, Server(httpx.Response(200, text=text)), lambda client: client.get_pet())
    with pytest.raises(sink_package.BadRequest) as caught:
        run(sink_package, Server(httpx.Response(400, text=text)), lambda client: client.get_pet())
    assert caught.value.problem is None
