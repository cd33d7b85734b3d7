"""Processes that bring the routers of the example package up to date and import them."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager

from support.router_example import Example

_START = """
    import importlib, json, os, sys
    from pathlib import Path
    from trading_api.shared.ws.generation import generator
    from trading_api.shared.ws.module_router_generator import ensure_routers, routers_current
    WS, PACKAGE = Path(sys.argv[1]), "router_example.modules.shop.ws.v1.ws_generated"
    """


@contextmanager
def process(example: Example, program: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a dedented program, which finds WS and PACKAGE set; it is killed at the end if it still runs."""
    paths = os.pathsep.join((str(example.path.parent), *sys.path))
    running = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_START) + textwrap.dedent(program), str(example.ws), *arguments],
        env={"PYTHONPATH": paths, "PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()
