"""C07, N04, A08: the shipped production configuration in the real tree."""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import psutil
import pytest
from support.ports import free_block
from support.project import PORTS, ROOT, Project, project_in
from support.user_tokens import bearer, rsa_pair
from support.waiting import wait_until

from deploy import loader, manifest

pytestmark = pytest.mark.integration

EXAMPLE = ROOT / "deploy" / "examples" / "production.yaml"
CLIENTS = 4


def ports(first: int) -> dict[str, str]:
    """Free ports for the example, by the names of its environment variables."""
    offsets = {"GATEWAY_PORT": 0, "BROKER_PORT": 1, "DATAFEED_PORT": 4, "CORE_PORT": 8, "BUS_PORT": 11}
    return {name: str(first + offset) for name, offset in offsets.items()}


def test_C07_the_example_is_made_for_production() -> None:
    config = loader.load(EXAMPLE, manifest.read(manifest.default_path()), {})
    assert config.nginx.worker_processes == "auto"
    assert (config.nginx.host, config.nginx.port) == ("127.0.0.1", 8000)
    assert set(config.servers) == {"broker", "datafeed", "core"}
    assert all(server.instances > 1 and not server.reload for server in config.servers.values())
    assert all(server.host == "127.0.0.1" for server in config.servers.values())
    assert (config.users.mode, config.debug_routes) == ("jwt", False)


def test_C07_ports_and_host_come_from_the_environment() -> None:
    environment = {**ports(free_block(PORTS)), "GATEWAY_HOST": "0.0.0.0"}
    config = loader.load(EXAMPLE, manifest.read(manifest.default_path()), environment)
    assert config.nginx.host == "0.0.0.0"
    found = {name: str(server.port) for name, server in config.servers.items()} | {
        "gateway": str(config.nginx.port),
        "bus": str(config.bus.port),
    }
    assert {f"{name.upper()}_PORT": port for name, port in found.items()} == ports(int(environment["GATEWAY_PORT"]))


@pytest.fixture(scope="module")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The example, running; log lines of refused requests are written too."""
    with project_in(tmp_path_factory.mktemp("production") / "project") as project:
        project.config_name = "production.yaml"
        text = EXAMPLE.read_text(encoding="utf-8")
        assert "level: info " in text
        project.write(text.replace("level: info ", "level: debug "))
        (project.folder / "users.pem").write_bytes(rsa_pair()[1])
        project.environment |= ports(project.port)
        project.up()
        yield project


def asker() -> dict[str, str]:
    """The headers of a user whom the example knows."""
    return bearer("alice", seconds=600, key=rsa_pair()[0])


def access_log(project: Project) -> list[dict[str, object]]:
    text = (project.local / "logs" / "nginx-access.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


def test_C07_every_instance_of_every_server_is_used(production: Project) -> None:
    with httpx.Client(base_url=production.url, trust_env=False, headers={"User-Agent": "spread"}) as client:
        for module in ("broker", "datafeed", "core"):
            for _ in range(60):
                assert client.get(f"/api/v1/{module}/health").status_code == 200

    def used() -> Counter[tuple[object, object]]:
        lines = [line for line in access_log(production) if line["user_agent"] == "spread"]
        return Counter((line["upstream"], line["upstream_addr"]) for line in lines)

    wait_until(lambda: used().total() == 180, what="the access log to hold every request")
    expected = {"broker": (1, 2), "datafeed": (4, 3), "core": (8, 2)}
    addresses = {
        (name, f"127.0.0.1:{production.port + offset + index}")
        for name, (offset, instances) in expected.items()
        for index in range(instances)
    }
    counts = used()
    assert set(counts) == addresses
    # nginx has a worker per core, and each starts with whichever instance it likes.
    assert min(counts.values()) >= 10


def test_C07_every_process_is_healthy_and_none_watches(production: Project) -> None:
    rows = production.status()["processes"]
    names = {row["name"] for row in rows}
    assert {"broker:broker-1", "datafeed:datafeed-2", "core:core-1", "bus", "nginx"} <= names
    servers = [psutil.Process(row["pid"]) for row in rows if ":" in row["name"]]
    assert not [process for process in servers if "--reload" in process.cmdline() or process.children()]


def test_A08_one_id_from_client_to_log_line(production: Project) -> None:
    reply = production.get(
        "/api/v1/broker/no-such-route?token=SECRET", headers={**asker(), "X-Request-ID": "follow-me.1"}
    )
    assert reply.status_code == 404
    assert reply.headers.get_list("x-request-id") == ["follow-me.1"]
    assert reply.json()["request_id"] == "follow-me.1"
    (line,) = wait_until(
        lambda: [line for line in access_log(production) if line["request_id"] == "follow-me.1"], what="the access log"
    )
    assert (line["path"], line["status"], line["upstream_status"]) == ("/api/v1/broker/no-such-route", 404, "404")
    written = wait_until(
        lambda: [
            text
            for name in ("broker-0", "broker-1")
            for text in production.log(name).splitlines()
            if "request_id=follow-me.1" in text
        ],
        what="the application's log line",
    )
    assert len(written) == 1
    assert "404" in written[0]
    logs = production.local / "logs"
    assert not [path.name for path in logs.iterdir() if path.is_file() and b"SECRET" in path.read_bytes()]


def test_C07_the_body_limit_is_the_gateways_and_the_servers(production: Project) -> None:
    large = b"x" * (256 * 1024 + 1)
    for port in (production.port, production.port + 1):
        url = f"http://127.0.0.1:{port}/api/v1/broker/account"
        reply = httpx.post(url, content=large, trust_env=False, headers=asker())
        assert (reply.status_code, reply.headers["content-type"]) == (413, "application/problem+json")
        assert httpx.post(url, content=large[1:], trust_env=False, headers=asker()).status_code == 405


@contextmanager
def load(project: Project, path: str) -> Iterator[Counter[int]]:
    """Clients that GET without pause; yields what they got, growing."""
    statuses: Counter[int] = Counter()
    ended = threading.Event()

    def client() -> None:
        with httpx.Client(base_url=project.url, trust_env=False, timeout=60, headers=asker()) as session:
            while not ended.is_set():
                statuses[session.get(path).status_code] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(client) for _ in range(CLIENTS)]
        try:
            wait_until(lambda: statuses.total() > 50, what="the load")
            yield statuses
        finally:
            ended.set()
        for running in clients:
            running.result(60)


@pytest.mark.long
def test_N04_no_request_is_lost_while_instances_restart_one_after_another(production: Project) -> None:
    before = production.pids()
    names = ["broker:broker-0", "broker:broker-1"]
    with load(production, "/api/v1/broker/account") as statuses:
        for name in names:
            done = production.supervisorctl("restart", name)
            assert "started" in done.stdout, done.stdout
            wait_until(lambda name=name: production.process(name)["health"] == "healthy", what=f"{name} to be healthy")  # type: ignore[misc]
    assert set(statuses) == {200}
    after = production.pids()
    assert all(after[name] != before[name] for name in names)


@pytest.mark.long
def test_N04_no_get_is_lost_when_an_instance_is_killed(production: Project) -> None:
    victim = "broker:broker-0"
    before = production.pids()[victim]
    with load(production, "/api/v1/broker/account") as statuses:
        psutil.Process(before).kill()
        wait_until(lambda: _is_back(production, victim, before), timeout=60, what="the instance to be back")
    assert set(statuses) == {200}


def _is_back(project: Project, name: str, former: int) -> bool:
    row = project.process(name)
    return bool(row["pid"] != former and row["health"] == "healthy")
