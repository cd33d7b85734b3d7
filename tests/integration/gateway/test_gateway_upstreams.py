"""N04: every instance is used, connections are kept, and what happens to requests when an instance goes away."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import psutil
import pytest
from support.gateway_nginx import RunningGateway, gateway
from support.gateway_socket import connected, read_reply
from support.gateway_upstream import Arrival, Upstream, breaks_off, ok, upstream
from support.ports import free_block
from support.waiting import wait_until

pytestmark = pytest.mark.integration

CLIENTS = 4


def config(first: int, instances: int) -> dict[str, object]:
    servers = {"main": {"port": first, "instances": instances, "modules": ["broker"]}}
    return {"nginx": {"port": free_block(1)}, "servers": servers}


@contextmanager
def instances(binary: Path, folder: Path, count: int) -> Iterator[tuple[RunningGateway, list[Upstream]]]:
    """A gateway in front of `count` servers on ports in a row."""
    first = free_block(count)
    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(port=first + index)) for index in range(count)]
        yield stack.enter_context(gateway(folder, config(first, count), binary)), servers


def test_N04_every_instance_gets_its_share(binary: Path, tmp_path: Path) -> None:
    with instances(binary, tmp_path, 3) as (front, servers):
        with httpx.Client(base_url=front.url, trust_env=False) as client:
            for _ in range(60):
                assert client.get("/api/v1/broker/health").status_code == 200
        assert [len(server.arrivals) for server in servers] == [20, 20, 20]
        used = Counter(line["upstream_addr"] for line in wait_until(lambda: _all(front, 60), what="60 lines"))
        assert used == {f"127.0.0.1:{server.port}": 20 for server in servers}


def _all(front: RunningGateway, count: int) -> list[dict[str, object]]:
    lines = front.log_lines()
    return lines if len(lines) == count else []


def test_N04_connections_to_the_servers_are_kept(binary: Path, tmp_path: Path) -> None:
    with instances(binary, tmp_path, 2) as (front, servers):
        for _ in range(100):
            # A connection of its own for each request: what is kept is the gateway's doing.
            assert front.get("/api/v1/broker/health").status_code == 200
        assert sum(len(server.arrivals) for server in servers) == 100
        assert [server.connections for server in servers] == [1, 1]
        assert servers[0].last().all("connection") == []


def test_N04_kept_connections_serve_many_clients_at_once(binary: Path, tmp_path: Path) -> None:
    with instances(binary, tmp_path, 2) as (front, servers):
        with ThreadPoolExecutor(CLIENTS) as pool:
            statuses = list(pool.map(lambda _: front.get("/api/v1/broker/health").status_code, range(200)))
        assert statuses == [200] * 200
        assert sum(server.connections for server in servers) <= 2 * CLIENTS


class Load:
    """Clients that GET without pause, and what they got."""

    def __init__(self, front: RunningGateway) -> None:
        self.statuses: Counter[int] = Counter()
        self._front = front
        self._ended = threading.Event()

    def total(self) -> int:
        return self.statuses.total()

    @contextmanager
    def running(self) -> Iterator["Load"]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self._client) for _ in range(CLIENTS)]
            try:
                yield self
            finally:
                self._ended.set()
            for client in clients:
                client.result(60)

    def _client(self) -> None:
        with httpx.Client(base_url=self._front.url, trust_env=False, timeout=60) as client:
            while not self._ended.is_set():
                self.statuses[client.get("/api/v1/broker/health").status_code] += 1

    def goes_on(self, more: int = 50) -> None:
        """Wait until so many more requests are answered."""
        goal = self.total() + more
        wait_until(lambda: self.total() >= goal, timeout=60, what=f"{more} more answers")


def test_N04_no_get_is_lost_while_instances_are_killed_and_come_back_in_turn(binary: Path, tmp_path: Path) -> None:
    first = free_block(2)
    with ExitStack() as stack:
        front = stack.enter_context(gateway(tmp_path, config(first, 2), binary))
        alive = {port: ExitStack() for port in (first, first + 1)}
        for port, life in alive.items():
            stack.callback(life.close)
            life.enter_context(upstream(port=port))
        with Load(front).running() as load:
            load.goes_on()
            for port, life in alive.items():
                life.close()
                load.goes_on()
                back = life.enter_context(upstream(port=port))
                load.goes_on()
                wait_until(lambda back=back: back.arrivals, what="the instance to be used again")  # type: ignore[misc]
    assert set(load.statuses) == {200}


def test_N04_a_dead_instance_never_takes_the_living_one_with_it(binary: Path, tmp_path: Path) -> None:
    # With max_fails=1 each break marks a peer down for 10 s, and soon both: then every request is a 502.
    with instances(binary, tmp_path, 2) as (front, servers):
        for server in servers:
            with server.answering(breaks_off()):
                assert front.get("/api/v1/broker/health").status_code == 200
        assert [front.get("/api/v1/broker/health").status_code for _ in range(10)] == [200] * 10


def test_N04_a_get_is_tried_once_on_each_instance_and_then_answered_502(binary: Path, tmp_path: Path) -> None:
    with (
        instances(binary, tmp_path, 2) as (front, servers),
        servers[0].answering(breaks_off()),
        servers[1].answering(breaks_off()),
    ):
        reply = front.get("/api/v1/broker/orders", x_request_id="both")
        assert (reply.status_code, reply.headers["content-type"]) == (502, "application/problem+json")
        assert [len(server.arrivals) for server in servers] == [1, 1]
        assert front.log_line("both")["upstream_status"] == "502, 502"


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["silent", "half a head"])
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_N04_what_may_have_changed_something_is_never_sent_twice(
    method: str, begun: bytes, binary: Path, tmp_path: Path
) -> None:
    with instances(binary, tmp_path, 2) as (front, servers):
        assert front.get("/api/v1/broker/health").status_code == 200
        for server in servers:
            server.handler = breaks_off(begun)
        for count in range(1, 5):
            assert front.request(method, "/api/v1/broker/orders", content=b"{}").status_code == 502
            arrived = [arrival.method for server in servers for arrival in server.arrivals]
            assert arrived.count(method) == count


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_N04_nor_where_the_instance_hangs(method: str, binary: Path, tmp_path: Path) -> None:
    first, free = free_block(2), threading.Event()

    def hangs(_: Arrival) -> None:
        free.wait(20)

    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(hangs, port=first + index)) for index in range(2)]
        stack.callback(free.set)
        changes = {"proxy_read_timeout 60s": "proxy_read_timeout 200ms"}
        front = stack.enter_context(gateway(tmp_path, config(first, 2), binary, changes=changes))
        assert front.request(method, "/api/v1/broker/orders", content=b"{}").status_code == 504
        assert sum(len(server.arrivals) for server in servers) == 1


QUICK = {"proxy_read_timeout 5s": "proxy_read_timeout 200ms"}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_N04_a_read_leaves_an_instance_that_hangs_for_another(method: str, binary: Path, tmp_path: Path) -> None:
    first, free = free_block(2), threading.Event()

    def hangs(_: Arrival) -> None:
        free.wait(20)

    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(port=first + index)) for index in range(2)]
        stack.callback(free.set)
        servers[0].handler = hangs
        front = stack.enter_context(gateway(tmp_path, config(first, 2), binary, changes=QUICK))
        for _ in range(4):
            assert front.request(method, "/api/v1/broker/orders?a=%2F").status_code == 200
        assert servers[0].arrivals, "the hanging one was tried"
        assert {arrival.target for arrival in servers[1].arrivals} == {"/api/v1/broker/orders?a=%2F"}
        assert len(servers[1].arrivals) == 4


def test_N04_a_read_that_is_slow_everywhere_gets_the_usual_time(binary: Path, tmp_path: Path) -> None:
    first, free, asked = free_block(2), threading.Event(), threading.Semaphore(0)

    def slow(_: Arrival) -> bytes:
        asked.release()
        free.wait(20)
        return ok(b'{"slow": true}')

    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(slow, port=first + index)) for index in range(2)]
        stack.callback(free.set)
        front = stack.enter_context(gateway(tmp_path, config(first, 2), binary, changes=QUICK))
        pool = stack.enter_context(ThreadPoolExecutor(1))
        reply = pool.submit(front.get, "/api/v1/broker/orders")
        # Both instances in turn, then one of them with the patience of other requests.
        assert all(asked.acquire(timeout=60) for _ in range(3))
        free.set()
        assert reply.result(60).json() == {"slow": True}
        assert sum(len(server.arrivals) for server in servers) == 3


@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_N04_what_could_not_be_sent_goes_to_the_next_instance(method: str, binary: Path, tmp_path: Path) -> None:
    first = free_block(2)
    target = "/api/v1/broker/positions/A%2FB?amount=1"
    with upstream(port=first + 1) as alive, gateway(tmp_path, config(first, 2), binary) as front:

        def send(_: int) -> int:
            return front.request(method, target, content=b"{}", headers={"X-Request-ID": "kept"}).status_code

        # Many at once: between two tries of one request others move the round robin on.
        with ThreadPoolExecutor(CLIENTS) as pool:
            assert set(pool.map(send, range(40))) == {200}
        assert len(alive.arrivals) == 40
        assert {(one.method, one.target, one.body, one.header("x-request-id")) for one in alive.arrivals} == {
            (method, target, b"{}", "kept")
        }


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_N04_where_no_instance_is_there_the_answer_is_502(method: str, binary: Path, tmp_path: Path) -> None:
    with gateway(tmp_path, config(free_block(2), 2), binary) as front:
        reply = front.request(method, "/api/v1/broker/positions/A", content=b"{}", headers={"X-Request-ID": "none"})
        assert (reply.status_code, reply.headers["content-type"]) == (502, "application/problem+json")
        assert (reply.json()["status"], reply.json()["instance"]) == (502, "/api/v1/broker/positions/A")
        line = front.log_line("none")
        assert (line["method"], line["status"], line["path"]) == (method, 502, "/api/v1/broker/positions/A")


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_N04_what_is_sent_once_obeys_the_gateways_bounds_too(method: str, binary: Path, tmp_path: Path) -> None:
    with instances(binary, tmp_path, 2) as (front, servers):
        assert front.request(method, "/api/v1/broker/x", content=b"x" * 1024**2).status_code == 200
        assert front.request(method, "/api/v1/broker/x", content=b"x" * (1024**2 + 1)).status_code == 413
        parts = [b"x" * 1024**2, b"x"]
        assert front.request(method, "/api/v1/broker/x", content=iter(parts)).status_code == 413
        assert front.request(method, "/nowhere").status_code == 404
        for server in servers:
            server.handler = lambda _: ok(b"own", status="418 I'm a teapot")
        reply = front.request(method, "/api/v1/broker/x")
        assert (reply.status_code, reply.content) == (418, b"own")
        assert sum(len(server.arrivals) for server in servers) == 2


def test_N04_a_body_reaches_the_server_only_when_it_is_whole(binary: Path, tmp_path: Path) -> None:
    with instances(binary, tmp_path, 1) as (front, (server,)):
        with connected(front.port) as slow:
            slow.sendall(b"POST /api/v1/broker/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
            # While it is on its way, others are served, and the server knows nothing of it.
            assert front.get("/api/v1/broker/health").status_code == 200
            assert [arrival.method for arrival in server.arrivals] == ["GET"]
            slow.sendall(b"cd")
            assert read_reply(slow).status == 200
        assert server.last().body == b"abcd"
        with connected(front.port) as gone:
            gone.sendall(b"POST /api/v1/broker/orders HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        assert front.get("/api/v1/broker/health").status_code == 200
        assert [arrival.method for arrival in server.arrivals] == ["GET", "POST", "GET"]


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_NOFILE"), reason="only Linux tells the limits of another process")
def test_N04_a_worker_may_open_what_its_connections_need(binary: Path, tmp_path: Path) -> None:
    with gateway(tmp_path, config(free_block(1), 1), binary) as front:
        (worker,) = wait_until(psutil.Process(front.process.pid).children, what="its worker")
        needed = 2 * front.made.gateway.worker_connections
        # It sets them itself, soon after it was made.
        wait_until(lambda: worker.rlimit(psutil.RLIMIT_NOFILE)[0] == needed, what="its limits")
