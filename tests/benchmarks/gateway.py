"""What the gateway costs: `/health` through nginx against the same instance directly, by wrk."""

from collections.abc import Iterator

from benchmarks import wrk
from benchmarks.result import Result, ratios
from support.project import Project

_PATH = "/api/v1/core/health"
_SECONDS = 4


def run(project: Project, runs: int) -> Iterator[Result]:
    """Requests per second with 32 connections kept alive; the access log is on. Needs wrk."""
    if not wrk.is_here("gateway"):
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
    return wrk.ask(url, connections=32, seconds=seconds).rate
