"""Runs the tools from npm that judge what is generated; `make test-contracts` installs them."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

HERE = Path(__file__).parents[1] / "contracts"
TOOLS = HERE / "node_modules" / ".bin"
PACKAGE = HERE.parents[1] / "backend" / "src" / "trading_api"

# No look for a newer version, no report of use.
_QUIET = {"REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "REDOCLY_TELEMETRY": "off", "NO_COLOR": "1"}


def run(command: Sequence[str | Path], *, cwd: Path = HERE, env: Mapping[str, str] | None = None) -> str:
    """What `command` says, both streams; fails the test with it unless it exits with 0."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={**os.environ, **_QUIET, **(env or {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(map(str, command))}\n{done.stdout}"
    return done.stdout
