"""What a server answers for its health, and what `status` makes of it (P10). The servers here are threads."""

import json
from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from support.plans import make_plan

from deploy import artifact
from deploy.cli import status as command
from deploy.renderers import snapshot
from deploy.runtime import applied, status
from deploy.runtime.applied import AppliedProcess, AppliedTree
from deploy.runtime.health import Answer, probe
from deploy.runtime.status import ProcessStatus, TreeStatus
from deploy.runtime.supervisor_client import ProcessInfo

OK = json.dumps({"status": "ok", "message": "The module is up."})


def degraded(message: object) -> str:
    return json.dumps({"status": "degraded", "message": message})


@contextmanager
def serving(bodies: Mapping[str, str]) -> Iterator[int]:
    """The port of a server that answers these bodies with 200, and any other path with 404."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = bodies.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write((body or "").encode())

        def log_request(self, code: object = "-", size: object = "-") -> None:
            """Not to the tests' output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (OK, ""),
        ("", ""),
        ("{", ""),
        ("[" * 50_000, ""),
        ("[]", ""),
        ('"degraded"', ""),
        (degraded("The datafeed\n restarts.\x1b[31m"), "The datafeed restarts.[31m"),
        (degraded(None), "it does not say why"),
        (degraded("x" * 1000), "x" * 199 + "…"),
    ],
)
def test_P10_a_server_that_answers_is_healthy_and_may_say_what_it_lacks(body: str, told: str) -> None:
    with serving({"/health": body}) as port:
        assert probe("127.0.0.1", port, "/health", 5) == Answer(True, degraded=told)
        assert probe("127.0.0.1", port, "/other", 5) == Answer(False, "answered 404")


def health(port: int, *paths: str) -> str:
    """What `status` shows of a server, whose core answers at /core."""
    process = AppliedProcess("broker-0", "broker:broker-0", "modules", "127.0.0.1", port, ("core",), "/core", paths)
    info = ProcessInfo("broker-0", "broker", "RUNNING", 1, 0.0, 1.0, 0, "")
    return status._health_of(info, AppliedTree(processes=(process,), health_timeout=5))


def test_P10_each_module_of_a_server_counts() -> None:
    bodies = {"/core": OK, "/broker": degraded("The datafeed restarts."), "/datafeed": degraded("No store.")}
    with serving(bodies) as port:
        assert health(port, "/core") == "healthy"
        assert health(port, "/core", "/broker") == "degraded: The datafeed restarts."
        assert health(port, "/core", "/broker", "/datafeed") == "degraded: The datafeed restarts. No store."
        assert health(port, "/core", "/broker", "/gone") == "answered 404", "worse than to lack something"
        assert health(port) == "healthy", "a tree that an earlier version applied"


def test_P10_what_was_applied_names_the_health_of_each_module(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    artifact.make_folders(plan.layout.folders())
    artifact.write([snapshot.render(plan)])
    tree = applied.read(plan.layout.snapshot)
    broker = tree.named("broker:broker-0")
    assert broker is not None
    assert broker.health_paths == ("/api/v1/core/health", "/api/v1/broker/health")
    document = json.loads(plan.layout.snapshot.read_text())
    for row in document["processes"]:
        del row["health_paths"]
    plan.layout.snapshot.write_text(json.dumps(document))
    earlier = applied.read(plan.layout.snapshot).named("broker:broker-0")
    assert earlier is not None
    assert (earlier.health_path, earlier.health_paths) == ("/api/v1/core/health", ())


def test_P10_a_degraded_process_is_shown_and_makes_status_fail(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "degraded: The datafeed [bold] restarts."
    row = ProcessStatus("broker:broker-0", "RUNNING", said, 7, "127.0.0.1:8001", ("core", "broker"), 1, 1, 1, 0, "")
    monkeypatch.setattr(status, "read", lambda _: TreeStatus(1, "x.yaml", (row,)))
    config = tmp_path / "x.yaml"
    config.write_text("servers: {}")
    for as_json in (False, True):
        assert command.run(Namespace(config=str(config), json=as_json)) == 1
        assert said in capsys.readouterr().out
