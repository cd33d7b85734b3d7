"""What the gateway costs: `/health` through nginx against the same instance directly, by wrk."""

import re
import shutil
import subprocess
from collections.abc import Iterator

from benchmarks.result import Result, ratios
from support.project import Project

_PATH = "/api/v1/core/health"
_SECONDS = 4


def run(project: Project, runs: int) -> Iterator[Result]:
    """Requests per second with 32 connections kept alive; the access log is on. Needs wrk."""
    if shutil.which("wrk") is None:
        print("gateway: wrk is not installed; left out (apt-get install wrk)")
        return
    project.write(project.standard(core={"reload": False}))
    project.up()
    direct_url = f"http://127.0.0.1:{project.port + 7}{_PATH}"
    _rate(direct_url, seconds=2)
    through, direct = [], []
    for _ in range(runs):
        through.append(_rate(project.url + _PATH))
        direct.append(_rate(direct_url))
    project.down()
    yield Result("/health through nginx ÷ direct", ratios(through, direct), "ratio", limit=0.9, at_least=True)
    yield Result("/health through nginx", tuple(through), "requests/s")
    yield Result("/health direct", tuple(direct), "requests/s")


def _rate(url: str, seconds: int = _SECONDS) -> float:
    argv = ["wrk", "-t1", "-c32", f"-d{seconds}s", url]
    output = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
    if failed:
        raise RuntimeError(f"{url}: {failed[0]}")
    match = re.search(r"Requests/sec:\s+([\d.]+)", output)
    assert match is not None, output
    return float(match[1])
