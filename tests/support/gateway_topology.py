"""The two topologies that one suite runs against (M03): one process, and the tree behind nginx."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
from support.gateway_socket import Reply, connected, read_reply
from support.project import ROOT, Project
from support.waiting import wait_until

CSV = ROOT / "docs" / "examples" / "AAPL-1D.csv"
MODULES = ("core", "broker", "datafeed")


@dataclass
class Topology:
    """A running backend as a client sees it."""

    project: Project
    client: httpx.Client

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET; `x_request_id="a"` sends the header `x-request-id: a`."""
        return self.client.get(path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def raw(self, sent: bytes) -> Reply:
        """Send bytes as they are on a connection of its own; the first answer."""
        with connected(self.project.port) as connection:
            connection.sendall(sent)
            return read_reply(connection)


@contextmanager
def one_process(project: Project, ready: str = "core") -> Iterator[Topology]:
    """`backend-manager dev`, once the module `ready` is healthy. It ends by SIGTERM, as it should, with exit code 0."""
    project.write()
    output = project.folder / "dev.log"
    argv = [sys.executable, "-P", "-m", "deploy.cli", "dev", project.config_name]
    with output.open("wb") as log:
        process = subprocess.Popen(argv, cwd=project.folder, env=project.env(), stdout=log, stderr=log)
    try:
        with _client(project) as client:
            wait_until(
                lambda: process.poll() is not None or _healthy(client, ready), timeout=30, what="one process to serve"
            )
            assert process.poll() is None, output.read_text(encoding="utf-8")
            yield Topology(project, client)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
    assert code == 0, output.read_text(encoding="utf-8")


@contextmanager
def tree(project: Project) -> Iterator[Topology]:
    """nginx in front of broker, datafeed and core; several instances of what has no state."""
    project.write(project.standard(datafeed={"instances": 2}, core={"instances": 2}))
    project.up()
    try:
        with _client(project) as client:
            yield Topology(project, client)
    finally:
        project.down()


def import_example(project: Project) -> None:
    """`python -m trading_api import` of the example that ships, into the project's store."""
    shutil.copy(CSV, project.folder)
    argv = [sys.executable, "-P", "-m", "trading_api", "import", CSV.name, "--symbol", "AAPL", "--resolution", "1D"]
    done = subprocess.run(argv, cwd=project.folder, env=project.env(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def _client(project: Project) -> httpx.Client:
    return httpx.Client(base_url=project.url, trust_env=False, timeout=60)


def _healthy(client: httpx.Client, module: str) -> bool:
    try:
        return client.get(f"/api/v1/{module}/health").status_code == 200
    except httpx.TransportError:
        return False
