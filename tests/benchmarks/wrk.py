"""Asks by wrk, and reads what it tells."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Answered:
    """`rate`: requests a second; `p99`: the slowest of a hundred, ms."""

    rate: float
    p99: float


def is_here(measure: str) -> bool:
    """Whether wrk is installed; says that the measure is left out if not."""
    if shutil.which("wrk") is None:
        print(f"{measure}: wrk is not installed; left out (apt-get install wrk)", file=sys.stderr)
        return False
    return True


def ask(url: str, *, connections: int, seconds: int, script: Path | None = None) -> Answered:
    """Ask for so long over connections that are kept alive. Raises RuntimeError unless every answer was a good one."""
    how = ["-s", str(script)] if script else []
    argv = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "10s", *how, url]
    output = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)", output)
    if failed:
        raise RuntimeError(f"{url}: {failed[0]}")
    rate, slowest = re.search(r"Requests/sec:\s+([\d.]+)", output), re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    assert rate is not None, output
    assert slowest is not None, output
    return Answered(float(rate[1]), float(slowest[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[slowest[2]])
