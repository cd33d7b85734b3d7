"""A deployment in a temporary folder: its YAML, its free ports, and the real command line run on it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml
from support.ports import free_block
from support.store_file import put_stores
from support.waiting import wait_until

from deploy.layout import layout_of
from deploy.runtime import status as tree_status

ROOT = Path(__file__).parents[2]
MANAGER = [sys.executable, "-P", "-m", "deploy.cli"]
PORTS = 12
PATIENT: dict[str, object] = {"start_deadline": "180s", "failures": 30}
"""For machines that run other tests at the same time."""


@dataclass
class Project:
    """One deployment. `port` is the gateway's; `port + 1` … are for servers."""

    folder: Path
    port: int
    environment: dict[str, str] = field(default_factory=dict)
    config_name: str = "dev-config.yaml"

    @property
    def config(self) -> Path:
        return self.folder / self.config_name

    @property
    def local(self) -> Path:
        return self.folder / ".local"

    @property
    def bus_port(self) -> int:
        """Of the tree's own nats-server, when it has one."""
        return self.port + PORTS - 1

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def standard(self, **servers: Mapping[str, object]) -> dict[str, Any]:
        """Broker, datafeed and core on this project's ports; `servers` changes or adds keys of single servers."""
        plain: dict[str, dict[str, object]] = {
            "broker": {"port": self.port + 1, "modules": ["broker"]},
            "datafeed": {"port": self.port + 4, "modules": ["datafeed"]},
            "core": {"port": self.port + 7},
        }
        for name, keys in servers.items():
            plain.setdefault(name, {}).update(keys)
        return {"nginx": {"port": self.port}, "servers": plain, "bus": {"port": self.bus_port}, "health": dict(PATIENT)}

    def shipped(self) -> dict[str, Any]:
        """The repository's own dev-config.yaml on this project's ports."""
        config: dict[str, Any] = yaml.safe_load((ROOT / "dev-config.yaml").read_text(encoding="utf-8"))
        config["nginx"]["port"] = self.port
        for offset, server in enumerate(config["servers"].values(), 1):
            server["port"] = self.port + offset
        config["bus"]["port"] = self.bus_port
        config["health"] |= PATIENT
        return config

    def write(self, config: Mapping[str, object] | str | None = None) -> Path:
        """Write the YAML file: a mapping, a text, or the standard deployment."""
        text = config if isinstance(config, str) else yaml.safe_dump(dict(config or self.standard()), sort_keys=False)
        self.config.write_text(text, encoding="utf-8")
        return self.config

    def run(
        self, *arguments: str, timeout: float = 300.0, check: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`backend-manager …` in the project's folder. `check` is the exit code that must come out."""
        done = subprocess.run(
            [*MANAGER, *arguments], cwd=self.folder, env=self.env(), capture_output=True, text=True, timeout=timeout
        )
        if check is not None:
            assert done.returncode == check, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def popen(self, *arguments: str) -> subprocess.Popen[str]:
        """`backend-manager …`, not waited for. Use it in a `with` statement."""
        return subprocess.Popen(
            [*MANAGER, *arguments],
            cwd=self.folder,
            env=self.env(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def env(self) -> dict[str, str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("SUPERVISOR_", "TRADING_", "ENABLED_"))}
        return {**plain, **self.environment}

    def up(self, *arguments: str) -> dict[str, Any]:
        """`start --json`, which must succeed; its answer. Its store is there before: making it takes 0.5 s."""
        if not self.local.exists():
            put_stores(self.local / "data" / "trading.db")
        done = self.run("start", self.config_name, "--json", *arguments, check=0)
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    def down(self) -> None:
        """`stop`, which must succeed."""
        self.run("stop", self.config_name, check=0)

    def status(self) -> dict[str, Any]:
        """What `status --json` prints, read in this process: a command takes half a second, and many tests poll."""
        read = tree_status.read(layout_of(self.config, self.env()))
        answer: dict[str, Any] = json.loads(read.to_json())
        return answer

    def process(self, name: str) -> dict[str, Any]:
        """The status of one process."""
        rows: list[dict[str, Any]] = self.status()["processes"]
        return next(row for row in rows if row["name"] == name)

    def pids(self) -> dict[str, int]:
        """Process name → pid, as status tells it."""
        return {row["name"]: row["pid"] for row in self.status()["processes"]}

    def supervisorctl(self, *arguments: str, timeout: float = 300.0) -> subprocess.CompletedProcess[str]:
        """Plain `supervisorctl …` in the project's folder, without -c (P02)."""
        argv = [str(Path(sys.executable).with_name("supervisorctl")), *arguments]
        return subprocess.run(argv, cwd=self.folder, env=self.env(), capture_output=True, text=True, timeout=timeout)

    def get(self, path: str, **keywords: Any) -> httpx.Response:
        """GET through the gateway."""
        return httpx.get(self.url + path, timeout=60, trust_env=False, **keywords)

    def log(self, name: str) -> str:
        """The text of one log file; empty when there is none yet."""
        path = self.local / "logs" / f"{name}.log"
        return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """Every living process that works in this project's folder or names it, however it came to be."""
        return [process for process in psutil.process_iter() if _belongs(process, str(self.folder))]

    def listening(self) -> list[int]:
        """The ports of this project that somebody listens on."""
        block = range(self.port, self.port + PORTS)
        found = psutil.net_connections("tcp")
        return sorted(
            {c.laddr.port for c in found if c.laddr and c.status == psutil.CONN_LISTEN and c.laddr.port in block}
        )

    def assert_gone(self) -> None:
        """No process and no port of this project is left."""
        wait_until(lambda: not self.processes(), timeout=60, what="every process of the project to be gone")
        assert self.listening() == []

    def clean_up(self) -> None:
        """Stop the tree; end whatever a failed test left, by pid."""
        if self.config.exists():
            self.run("stop", self.config_name, "--timeout", "1")
        for process in self.processes():
            process.send_signal(signal.SIGKILL)


def _belongs(process: psutil.Process, folder: str) -> bool:
    try:
        if process.status() == psutil.STATUS_ZOMBIE or process.pid == os.getpid():
            return False
        return process.cwd() == folder or any(folder in word for word in process.cmdline())
    except psutil.Error:
        return False


@contextmanager
def project_in(folder: Path) -> Iterator[Project]:
    """A project in `folder`, cleaned up afterwards whatever happened."""
    folder.mkdir(parents=True, exist_ok=True)
    project = Project(folder, free_block(PORTS))
    try:
        yield project
    finally:
        project.clean_up()


def own_backend(project: Project) -> Path:
    """Give `project` a backend of its own to edit: a copy of the package, first on its import path; its folder."""
    target = project.folder / "backend-copy"
    source = ROOT / "backend" / "src" / "trading_api"
    shutil.copytree(source, target / "trading_api", ignore=shutil.ignore_patterns("__pycache__"))
    project.environment["PYTHONPATH"] = str(target)
    return target / "trading_api"
