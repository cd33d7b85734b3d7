"""Fan-out of a 350-byte update over WebSockets: the framework against a bare ASGI loop and `websockets.broadcast`.

The clients are one process on bare sockets; it shares the machine's cores with the server and the gateway.
"""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
from benchmarks.fanout_crowd import Crowd, crowd, subscriber
from benchmarks.result import Result, ratios
from support.gateway_nginx import gateway, nginx_binaries, standard
from support.ports import free_block
from support.project import Project
from support.waiting import wait_until

_KINDS = ("ours", "bare", "broadcast")
_SIZES = (1, 100, 500, 1000)
_DELIVERIES = 100_000
_FRAME = 350 + 4
_RATE, _SECONDS = 20, 3
# Where one number is compared with another, many updates: the slowest of a hundred is then not just one of them.
_STEADY = (50, 6)
_CYCLES = 10_000
_IDLE = 1000
_NEARLY_FULL = 980


class Server:
    """A fan-out server in a process of its own."""

    def __init__(self, kind: str) -> None:
        self.port = free_block(1)
        script = Path(__file__).with_name("fanout_server.py")
        argv = [sys.executable, str(script), kind, str(self.port)]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.answer()

    def order(self, what: str) -> None:
        """Give an order; `answer` waits for its end."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{what}\n")

    def answer(self) -> dict[str, Any]:
        """What the server says when it has done as ordered."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the server died")
        found: dict[str, Any] = json.loads(line)
        return found

    def state(self) -> dict[str, Any]:
        """What is there now."""
        self.order("state")
        return self.answer()

    def memory(self) -> int:
        """Bytes of its own, pages that other processes share not counted."""
        return int(psutil.Process(self.process.pid).memory_full_info().uss)


@contextmanager
def serving(kind: str) -> Iterator[Server]:
    server = Server(kind)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.wait(10)
        for pipe in (server.process.stdin, server.process.stdout):
            assert pipe is not None
            pipe.close()


def run(_project: Project, runs: int) -> Iterator[Result]:
    """Throughput, latency, the cost of bad neighbours, memory and leaks."""
    with ExitStack() as stack:
        servers = {kind: stack.enter_context(serving(kind)) for kind in _KINDS}
        for size in _SIZES:
            yield from _throughput(servers, size, runs)
        for size in _SIZES:
            yield from _latency(servers, size, runs)
        yield from _behind_nginx(servers, runs)
    yield from _bad_neighbours(runs)
    yield from _memory()
    yield from _cycles()


def _throughput(servers: dict[str, Server], size: int, runs: int) -> Iterator[Result]:
    rates: dict[str, list[float]] = {kind: [] for kind in servers}
    with ExitStack() as stack:
        crowds = {kind: stack.enter_context(_listening(server, size)) for kind, server in servers.items()}
        for kind, server in servers.items():
            _burst(server, crowds[kind], 1)
        for _ in range(runs):
            for kind, server in servers.items():
                rates[kind].append(_burst(server, crowds[kind], _count(size)))
    against = ratios(rates["ours"], rates["bare"])
    yield Result(f"fan-out to {size} ÷ a bare ASGI loop", against, "ratio", limit=0.8, at_least=True)
    yield Result(f"fan-out to {size} ÷ websockets.broadcast", ratios(rates["ours"], rates["broadcast"]), "ratio")
    yield Result(
        f"fan-out to {size}", tuple(rates["ours"]), "updates/s", note="delivered in a second of the server's core"
    )


def _count(size: int) -> int:
    return max(50, min(20_000, _DELIVERIES // size))


@contextmanager
def _listening(server: Server, size: int, port: int | None = None) -> Iterator[Crowd]:
    """Subscribers (at `port`, if it is not the server's own), after which the server is as empty as before."""
    with crowd(port or server.port, size) as listeners:
        yield listeners
    wait_until(lambda: server.state()["connections"] == 0, what="the subscribers to be gone")


def _burst(server: Server, listeners: Crowd, count: int) -> float:
    """Deliveries in a second of the server's processor time, which other processes on the machine do not change."""
    deliveries = count * len(listeners.clients)
    server.order(f"burst {count}")
    listeners.count_bytes(deliveries * _FRAME)
    return float(deliveries / server.answer()["cpu"])


def _latency(servers: dict[str, Server], size: int, runs: int) -> Iterator[Result]:
    found: dict[str, list[tuple[float, float]]] = {kind: [] for kind in servers}
    for _ in range(max(1, runs // 2)):
        for kind, server in servers.items():
            with _listening(server, size) as listeners:
                found[kind].append(_percentiles(server, listeners))
    for kind, pairs in found.items():
        if kind != "broadcast":
            yield Result(f"latency to {size}, {kind}, median", tuple(p50 for p50, _ in pairs), "ms")
            yield Result(f"latency to {size}, {kind}, 99 %", tuple(p99 for _, p99 in pairs), "ms")


def _percentiles(server: Server, listeners: Crowd, rate: int = _RATE, seconds: int = _SECONDS) -> tuple[float, float]:
    """Median and 99th percentile in ms, at `rate` updates a second; those of the first moment are not counted."""
    size = len(listeners.clients)
    began = time.monotonic_ns()
    server.order(f"tick {rate} {seconds}")
    found = listeners.latencies(rate * seconds * size, began)[size * 5 :]
    server.answer()
    cuts = statistics.quantiles(found, n=100)
    return cuts[49] * 1000, cuts[98] * 1000


def _behind_nginx(servers: dict[str, Server], runs: int) -> Iterator[Result]:
    """Throughput and latency of ours and the bare loop once more, each behind an nginx as `up` configures it."""
    binaries = nginx_binaries()
    if not binaries:
        print("fanout: there is no nginx; left out")
        return
    binary = next(iter(binaries.values()))
    with ExitStack() as stack:
        ports = {}
        for kind in ("ours", "bare"):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fanout-")))
            site = standard(servers[kind].port, nginx={"port": free_block(1), "worker_connections": 4096})
            ports[kind] = stack.enter_context(gateway(folder, site, binary)).port
        for size in _SIZES:
            yield from _through(servers, ports, size, runs)


def _through(servers: dict[str, Server], ports: dict[str, int], size: int, runs: int) -> Iterator[Result]:
    rates: dict[str, list[float]] = {kind: [] for kind in ports}
    with ExitStack() as stack:
        crowds = {kind: stack.enter_context(_listening(servers[kind], size, port)) for kind, port in ports.items()}
        for _ in range(runs):
            for kind in ports:
                rates[kind].append(_burst(servers[kind], crowds[kind], _count(size)))
    name = f"fan-out to {size} through nginx"
    against = ratios(rates["ours"], rates["bare"])
    yield Result(f"{name} ÷ a bare ASGI loop through nginx", against, "ratio", 0.8, at_least=True)
    yield Result(name, tuple(rates["ours"]), "updates/s", note="as before; nginx not counted")
    for kind, port in ports.items():
        with _listening(servers[kind], size, port) as listeners:
            median, slowest = _percentiles(servers[kind], listeners)
        yield Result(f"latency to {size} through nginx, {kind}, median", (median,), "ms")
        yield Result(f"latency to {size} through nginx, {kind}, 99 %", (slowest,), "ms")


def _bad_neighbours(runs: int) -> Iterator[Result]:
    """One client that reads a little and one that reads nothing, among 500: what the others notice.

    The queues of the two are filled beforehand so far that they overflow while the others are measured.
    """
    without, with_ = [], []
    with serving("ours") as server:
        for _ in range(max(3, runs // 2)):
            with _listening(server, 500) as listeners:
                without.append(_percentiles(server, listeners, *_STEADY)[1])
            with _neighbours(server), crowd(server.port, 500) as listeners:
                with_.append(_percentiles(server, listeners, *_STEADY)[1])
            wait_until(lambda: server.state()["connections"] == 0, what="all to be gone")
        dropped = server.state()["disconnected_slow"]
    yield Result("latency 99 %, 500 with a slow and a dead one ÷ without", ratios(with_, without), "ratio", limit=1.5)
    yield Result("slow and dead ones disconnected meanwhile", (dropped / len(with_),), "count")


@contextmanager
def _neighbours(server: Server) -> Iterator[None]:
    slow, dead = subscriber(server.port, 4096), subscriber(server.port, 4096)
    stop = threading.Event()
    reader = threading.Thread(target=_read_slowly, args=(slow.socket, stop))
    reader.start()
    while server.state()["waiting"] < _NEARLY_FULL:
        server.order("burst 20")
        server.answer()
    yield
    stop.set()
    reader.join()
    for client in (slow, dead):
        client.close()


def _read_slowly(reader: socket.socket, stop: threading.Event) -> None:
    while not stop.wait(0.1):
        try:
            reader.recv(100)
        except OSError:
            return


def _memory() -> Iterator[Result]:
    with serving("ours") as server:
        with crowd(server.port, 10):
            pass
        before = server.memory()
        with crowd(server.port, _IDLE):
            each = (server.memory() - before) / _IDLE / 1024
    yield Result("memory of an idle subscriber", (each,), "KiB", note=f"of {_IDLE}; the server's own pages")


def _cycles() -> Iterator[Result]:
    """Subscribe and close, again and again: what is left."""
    with serving("ours") as server:
        tasks = server.state()["tasks"]
        _cycle(server, _CYCLES // 10)
        before = server.memory()
        _cycle(server, _CYCLES)
        state = server.state()
        left = state["connections"] + state["topics"] + state["subscriptions"] + state["tasks"] - tasks
        grown = (server.memory() - before) / 1024
    yield Result(f"connections, topics and tasks left after {_CYCLES} subscribers", (float(left),), "count", limit=0)
    yield Result(f"memory grown over {_CYCLES} subscribers", (grown,), "KiB", note="connect, subscribe, close")


def _cycle(server: Server, count: int) -> None:
    for _ in range(count):
        subscriber(server.port).close()
    wait_until(lambda: server.state()["topics"] == 0, what="the last topic to end")
