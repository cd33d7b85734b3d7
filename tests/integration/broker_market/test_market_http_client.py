"""Asking the datafeed over HTTP: connections that are kept, and those that break (D03)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from support.market_bed import soon
from support.stopwatch import Stopwatch

from trading_api.modules.broker.link.http_client import HttpClient, HttpError

pytestmark = pytest.mark.integration

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Script = Callable[[int, int], bytes | None]
"""What is answered to the nth request of the nth connection; None: it is closed without an answer."""


class Server:
    """Answers as its script says; an empty answer is none yet."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0
        self.port = 0
        self.over = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}/base"

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Counted here: its task may not have begun when all is over."""
        if self.over:
            writer.transport.abort()
            return
        number, self.connections = self.connections, self.connections + 1
        self.open += 1
        self._tasks.add(task := asyncio.get_running_loop().create_task(self._serve(number, reader, writer)))
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = 0
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                body = await reader.readexactly(int(head.partition(b"Length: ")[2].partition(b"\r")[0] or 0))
                self.requests.append(head + body)
                answer = self.script(number, asked)
                asked += 1
                if answer is None:
                    return
                writer.write(answer)
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            self.open -= 1
            writer.transport.abort()


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    """One that listens; at the end all its connections are closed, if the clients close theirs."""
    server = Server(script)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        server.over = True
        await soon(lambda: server.open == 0, "every connection to be closed")
        # What was accepted just now comes a few turns of the loop later.
        for _ in range(5):
            await asyncio.sleep(0)


def run(script: Script, test: Callable[[Server, HttpClient], Awaitable[None]], timeout_s: float = 1.0) -> None:
    async def main() -> None:
        async with serving(script) as server:
            client = HttpClient([server.base], timeout_s=timeout_s)
            try:
                await test(server, client)
            finally:
                client.close()

    asyncio.run(main())


def test_D03_a_connection_is_used_again_and_the_request_is_plain() -> None:
    async def test(server: Server, client: HttpClient) -> None:
        for _ in range(3):
            assert (await client.ask("GET", "/resolve/A%26B")).body == b"ok"
        assert (await client.ask("POST", "/quotes", b'{"symbols":[]}')).status == 200
        assert server.connections == 1
        host = f"Host: 127.0.0.1:{server.port}\r\nAccept: application/json\r\n"
        assert server.requests[0] == f"GET /base/resolve/A%26B HTTP/1.1\r\n{host}\r\n".encode()
        kind = 'Content-Type: application/json\r\nContent-Length: 14\r\n\r\n{"symbols":[]}'
        assert server.requests[3] == f"POST /base/quotes HTTP/1.1\r\n{host}{kind}".encode()

    run(lambda _connection, _asked: OK, test)


def test_D03_a_connection_that_was_closed_while_idle_is_replaced_unseen() -> None:
    async def test(server: Server, client: HttpClient) -> None:
        for _ in range(3):
            assert (await client.ask("GET", "/x")).body == b"ok"
        assert server.connections == 3

    run(lambda _connection, asked: OK if asked == 0 else None, test)


def test_D03_a_server_that_says_close_is_taken_at_its_word() -> None:
    closing = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")

    async def test(server: Server, client: HttpClient) -> None:
        for _ in range(2):
            assert (await client.ask("GET", "/x")).body == b"ok"
        assert server.connections == 2

    run(lambda _connection, _asked: closing, test)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "The datafeed cannot be reached."),
        (b"", "The datafeed does not answer."),
        (OK[:-1], "The datafeed does not answer."),
        (b"rubbish\r\n\r\n", "What answers at the datafeed's address is no datafeed."),
    ],
)
def test_D03_a_server_that_does_not_answer_is_given_up_in_time(answer: bytes | None, reason: str) -> None:
    async def test(_server: Server, client: HttpClient) -> None:
        watch = Stopwatch()
        with pytest.raises(HttpError) as error:
            await client.ask("GET", "/x")
        assert str(error.value) == reason
        assert watch.seconds < 1

    run(lambda _connection, _asked: answer, test, timeout_s=0.2)


def test_D03_who_gives_up_leaves_no_answer_to_the_next() -> None:
    async def test(server: Server, client: HttpClient) -> None:
        asking = asyncio.create_task(client.ask("GET", "/slow"))
        await soon(lambda: server.requests)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await client.ask("GET", "/quick")).body == b"ok"
        await soon(lambda: server.open == 1, "the first connection to be closed")

    run(lambda connection, _asked: b"" if connection == 0 else OK, test)


def test_D03_no_more_are_asked_at_once_than_there_are_connections() -> None:
    async def test(server: Server, client: HttpClient) -> None:
        answers = await asyncio.gather(*(client.ask("GET", f"/{number}") for number in range(100)))
        assert {answer.body for answer in answers} == {b"ok"}
        assert server.connections <= 8
        assert len(server.requests) == 100

    run(lambda _connection, _asked: OK, test)


def test_D04_of_two_instances_the_failing_one_is_passed_over_and_its_word_is_the_last() -> None:
    problem = OK.replace(b"200 OK", b"503 X")

    async def test(server: Server, client: HttpClient) -> None:
        async with serving(lambda _connection, _asked: OK) as other:
            both = HttpClient([server.base, other.base])
            assert (await both.ask("GET", "/x")).status == 200
            assert len(server.requests) == 1
            assert (await both.ask("GET", "/x")).status == 200
            assert len(server.requests) == 1, "asked last for a while"
            both.prefer(other.base)
            both.close()
        assert (await client.ask("GET", "/x")).status == 503, "when there is no other"

    run(lambda _connection, _asked: problem, test)
