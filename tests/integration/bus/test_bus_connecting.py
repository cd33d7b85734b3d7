"""Coming to a connection: late servers, tokens, TLS."""

import asyncio
import logging
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.bus_ends import Heard, Medium, eventually, lines_of
from support.nats import NatsServer, nats_server

from trading_api.shared.bus import Bus, BusUnavailable, NoResponder, TokenError, open_bus

pytestmark = pytest.mark.integration


@pytest.fixture
def server() -> Iterator[NatsServer]:
    with nats_server(started=False) as prepared:
        yield prepared


def test_D04_a_process_comes_up_without_nats_and_finds_it_later(
    server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    heard, calls = Heard(), []

    async def scene(ours: Bus, theirs: Bus) -> None:
        async def call() -> None:
            calls.append(theirs.connected)

        theirs.on_reconnect(call)
        await theirs.subscribe("a", heard)
        with pytest.raises(BusUnavailable):
            await ours.publish("a", b"early")
        server.start()
        await eventually(lambda: ours.connected and theirs.connected, "the connection")
        await ours.publish("a", b"1")
        await heard.count(1)
        # It came late, so something may have been missed.
        await eventually(lambda: calls, "the callback")

    Medium(server).run(scene)
    assert heard.data == [b"1"]
    assert calls == [True]
    url = server.url
    assert lines_of(caplog.records) == [
        f"no connection to the bus at {url}: Connection refused; trying again",
        f"no connection to the bus at {url}: Connection refused; trying again",
        f"connected to the bus at {url} again",
        f"connected to the bus at {url} again",
    ]


def test_D04_a_first_connection_is_no_reconnect(server: NatsServer) -> None:
    calls = []

    async def call() -> None:
        calls.append(1)

    async def scene(ours: Bus, theirs: Bus) -> None:
        bus = open_bus(server.url, str(server.token_file))
        bus.on_reconnect(call)
        await bus.connect()
        assert bus.connected
        # Long enough for a callback: a round trip.
        with pytest.raises(NoResponder):
            await bus.request("nobody", b"", timeout=5)
        await bus.close()

    server.start()
    Medium(server).run(scene)
    assert calls == []


def test_D04_the_token_is_read_again_at_every_reconnect(server: NatsServer) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        server.kill()
        await eventually(lambda: not ours.connected, "the loss")
        server.set_token("another-token")
        server.start()
        await eventually(lambda: ours.connected and theirs.connected, "the connection")

    server.start()
    Medium(server).run(scene)
    assert "authentication error" not in server.log


def test_D04_a_wrong_token_is_said_once_without_the_token_and_tried_again(
    server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.start()
    right = server.token_file.read_text()
    server.token_file.write_text("the-wrong-secret")

    async def scene(ours: Bus, theirs: Bus) -> None:
        assert not ours.connected
        await eventually(lambda: server.log.count("authentication error") >= 5, "five attempts")
        server.token_file.write_text(right)
        await eventually(lambda: ours.connected and theirs.connected, "the connection")

    Medium(server).run(scene)
    said = lines_of(caplog.records, logging.WARNING)
    assert said == [f"no connection to the bus at {server.url}: Authorization Violation; trying again"] * 2
    assert "wrong-secret" not in caplog.text


def test_D04_a_reloaded_token_costs_a_reconnect(server: NatsServer) -> None:
    """The server ends the connection with an error of its own then."""

    async def scene(ours: Bus, theirs: Bus) -> None:
        lost = asyncio.Event()

        async def call() -> None:
            lost.set()

        ours.on_reconnect(call)
        server.set_token("rotated")
        server.reload()
        async with asyncio.timeout(60):
            await lost.wait()
        assert await _served(ours, theirs) == b"fine"

    server.start()
    Medium(server).run(scene)


async def _served(ours: Bus, theirs: Bus) -> bytes:
    async def answer(_: bytes) -> bytes:
        return b"fine"

    await eventually(lambda: ours.connected and theirs.connected, "the connection")
    await theirs.serve("work", answer)
    return await ours.request("work", b"", timeout=30)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_D04_a_token_that_others_may_read_stops_the_start(server: NatsServer, mode: int) -> None:
    server.start()
    server.token_file.chmod(mode)

    async def scene() -> None:
        bus = open_bus(server.url, str(server.token_file))
        try:
            with pytest.raises(TokenError, match=f"others may read .*mode 0{mode:o}.*chmod 600"):
                await bus.connect()
            assert not bus.connected
        finally:
            await bus.close()

    asyncio.run(scene())


def test_D04_a_token_that_others_may_read_later_is_not_sent(
    server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene(ours: Bus, theirs: Bus) -> None:
        server.kill()
        await eventually(lambda: not (ours.connected or theirs.connected), "the loss")
        server.token_file.chmod(0o644)
        server.start()
        await eventually(lambda: sum("others may read" in line for line in lines_of(caplog.records)) == 2, "the words")
        server.token_file.chmod(0o600)
        await eventually(lambda: ours.connected and theirs.connected, "the connection")

    server.start()
    Medium(server).run(scene)


def test_D04_of_several_servers_one_that_is_there_is_found(server: NatsServer) -> None:
    server.start()

    async def scene() -> None:
        bus = open_bus(f"nats://127.0.0.1:1,{server.url}", str(server.token_file))
        await bus.connect()
        await eventually(lambda: bus.connected, "the connection")
        await bus.close()

    asyncio.run(scene())


@pytest.mark.parametrize("with_token", [True, False])
def test_D04_nothing_is_sent_in_the_clear_where_tls_is_asked_for(
    caplog: pytest.LogCaptureFixture, with_token: bool
) -> None:
    received = bytearray()

    async def pretend(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b'INFO {"server_id":"x","auth_required":true,"max_payload":1048576,"headers":true}\r\n')
        received.extend(await reader.read(1000))
        writer.close()
        await writer.wait_closed()

    async def scene(token_file: str) -> None:
        fake = await asyncio.start_server(pretend, "127.0.0.1", 0)
        port = fake.sockets[0].getsockname()[1]
        bus = open_bus(f"tls://127.0.0.1:{port}", token_file)
        await bus.connect()
        assert not bus.connected
        await bus.close()
        fake.close()
        await fake.wait_closed()

    with nats_server(started=False) as prepared:
        asyncio.run(scene(str(prepared.token_file) if with_token else ""))
    assert bytes(received) == b""
    assert any("offers no TLS" in line for line in lines_of(caplog.records))


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_D04_over_tls_a_server_is_trusted_only_with_its_certificate(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    certificate = server.use_tls()
    server.start()
    url = server.url.replace("nats://", "tls://")

    async def answer(data: bytes) -> bytes:
        return data

    async def scene() -> bool:
        bus = open_bus(url, str(server.token_file))
        await bus.connect()
        try:
            await bus.serve("work", answer)
            return bus.connected and await bus.request("work", b"secret", timeout=5) == b"secret"
        finally:
            await bus.close()

    assert asyncio.run(scene()) is False
    words = "TLS: self-signed certificate; trying again"
    assert lines_of(caplog.records) == [f"no connection to the bus at {url}: {words}"]
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert asyncio.run(scene()) is True


@pytest.mark.parametrize(
    "greeting", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"INFO nonsense\r\n", b"INFO {}\r\n-ERR 'no'\r\n"]
)
def test_D04_what_is_no_nats_server_is_survived(greeting: bytes) -> None:
    async def pretend(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(greeting)
        writer.close()
        await writer.wait_closed()

    async def scene() -> None:
        fake = await asyncio.start_server(pretend, "127.0.0.1", 0)
        bus = open_bus(f"nats://127.0.0.1:{fake.sockets[0].getsockname()[1]}", "")
        await bus.connect()
        assert not bus.connected
        await bus.close()
        fake.close()
        await fake.wait_closed()
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(scene())


def test_D04_closing_while_it_connects_is_quick() -> None:
    """To a server that accepts and says nothing."""

    async def scene() -> None:
        accepted = list[asyncio.StreamWriter]()
        silent = await asyncio.start_server(lambda _, writer: accepted.append(writer), "127.0.0.1", 0)
        bus = open_bus(f"nats://127.0.0.1:{silent.sockets[0].getsockname()[1]}", "")
        connecting = asyncio.create_task(bus.connect())
        await asyncio.sleep(0)
        begun = asyncio.get_running_loop().time()
        await bus.close()
        assert asyncio.get_running_loop().time() - begun < 1.5
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        silent.close()
        for _ in range(5):
            await asyncio.sleep(0)
            for writer in accepted:
                writer.transport.abort()

    asyncio.run(scene())


def test_D04_a_process_with_its_bus_in_memory_does_not_load_nats() -> None:
    code = "import sys; from trading_api.shared.bus import open_bus; open_bus('', ''); print('nats' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
