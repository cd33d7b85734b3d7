"""N04: a POST that is declared to only read goes to another instance when one breaks off; no other POST ever does."""

import threading
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from support.gateway_nginx import MODULES, gateway
from support.gateway_upstream import Arrival, breaks_off, upstream
from support.ports import free_block

from deploy.manifest import Manifest, ModuleEntry

pytestmark = pytest.mark.integration

SAFE, UNSAFE = "/api/v1/broker/quotes", "/api/v1/broker/orders"


def manifest() -> Manifest:
    """The usual modules; the broker has one POST that only reads."""
    broker = MODULES.modules["broker"]
    v1 = replace(broker.versions["v1"], safe_posts=("/v1/broker/quotes",))
    return Manifest({**MODULES.modules, "broker": ModuleEntry({**broker.versions, "v1": v1})})


def config(first: int, instances: int) -> dict[str, object]:
    servers = {"main": {"port": first, "instances": instances, "modules": ["broker"]}}
    return {"nginx": {"port": free_block(1)}, "servers": servers}


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Le"], ids=["silent", "half a head"])
def test_N04_a_safe_post_is_answered_by_the_other_instance(begun: bytes, binary: Path, tmp_path: Path) -> None:
    first = free_block(2)
    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(port=first + index)) for index in range(2)]
        front = stack.enter_context(gateway(tmp_path, config(first, 2), binary, modules=manifest()))
        servers[0].handler = breaks_off(begun)
        for _ in range(6):
            assert front.request("POST", SAFE, content=b'{"symbols": []}').status_code == 200
        assert len(servers[1].arrivals) == 6
        assert {arrival.body for server in servers for arrival in server.arrivals} == {b'{"symbols": []}'}
        assert servers[0].arrivals, "the broken one was tried"


def test_N04_a_safe_post_leaves_an_instance_that_hangs_for_another(binary: Path, tmp_path: Path) -> None:
    first, free = free_block(2), threading.Event()

    def hangs(_: Arrival) -> None:
        free.wait(20)

    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(port=first + index)) for index in range(2)]
        stack.callback(free.set)
        servers[0].handler = hangs
        changes = {"proxy_read_timeout 5s": "proxy_read_timeout 200ms"}
        front = stack.enter_context(gateway(tmp_path, config(first, 2), binary, modules=manifest(), changes=changes))
        for _ in range(4):
            assert front.request("POST", SAFE, content=b'{"symbols": []}').status_code == 200
        assert servers[0].arrivals, "the hanging one was tried"
        assert [arrival.body for arrival in servers[1].arrivals] == [b'{"symbols": []}'] * 4


def test_N04_each_instance_gets_a_safe_post_once_at_most(binary: Path, tmp_path: Path) -> None:
    first = free_block(3)
    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(breaks_off(), port=first + index)) for index in range(3)]
        front = stack.enter_context(gateway(tmp_path, config(first, 3), binary, modules=manifest()))
        reply = front.request("POST", SAFE, content=b"{}")
        assert (reply.status_code, reply.headers["content-type"]) == (502, "application/problem+json")
        assert [len(server.arrivals) for server in servers] == [1, 1, 1]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", UNSAFE),
        ("POST", f"{SAFE}/"),
        ("POST", f"{SAFE}/more"),
        ("POST", "/api/v2/broker/quotes"),
        ("PUT", SAFE),
        ("PATCH", SAFE),
        ("DELETE", SAFE),
    ],
)
def test_N04_nothing_else_becomes_safe_beside_it(method: str, path: str, binary: Path, tmp_path: Path) -> None:
    first = free_block(2)
    with ExitStack() as stack:
        servers = [stack.enter_context(upstream(breaks_off(), port=first + index)) for index in range(2)]
        front = stack.enter_context(gateway(tmp_path, config(first, 2), binary, modules=manifest()))
        for count in range(1, 4):
            assert front.request(method, path, content=b"{}").status_code == 502
            assert sum(len(server.arrivals) for server in servers) == count


def test_N04_a_single_instance_gets_no_location_of_its_own(binary: Path, tmp_path: Path) -> None:
    first = free_block(1)
    with (
        upstream(breaks_off(), port=first) as server,
        gateway(tmp_path, config(first, 1), binary, modules=manifest()) as front,
    ):
        assert front.request("POST", SAFE, content=b"{}").status_code == 502
        assert len(server.arrivals) == 1
