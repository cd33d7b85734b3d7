"""`backend-manager logs`."""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from deploy.cli import layouts
from deploy.errors import DeployError
from deploy.layout import Layout
from deploy.runtime.logs import sources, view
from deploy.runtime.logs.clean import clean


class NoLogs(DeployError):
    """There is nothing to show."""


def run(arguments: argparse.Namespace) -> int:
    """Show, follow or empty the logs."""
    gc.enable()
    layout = layouts.layout_for(arguments.config)
    if arguments.clean:
        return _clean(layout)
    paths = chosen(layout, arguments.names, nginx=arguments.nginx)
    if not paths() and not arguments.follow:
        raise NoLogs(f"no logs in {layout.logs} yet; start the tree with: make supervise-up")
    if arguments.follow and not _listens(layout.socket):
        print("the tree is not running; waiting for lines (Ctrl-C ends)", file=sys.stderr, flush=True)
    form = view.formatter(sys.stdout, os.environ, as_json=arguments.json)
    view.show(paths, sys.stdout, form, lines=arguments.lines, following=arguments.follow)
    return 0


def _listens(path: Path) -> bool:
    """Whether a supervisord listens at `path`, be it stalled, stopping or somebody else's: its logs can be read."""
    import socket  # here, not above: only following needs it

    with socket.socket(socket.AF_UNIX) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            return True
    return True


def chosen(layout: Layout, names: Sequence[str], *, nginx: bool = False) -> Callable[[], list[Path]]:
    """The logs to show, asked anew each time: instances come and go."""

    def paths() -> list[Path]:
        if nginx:
            return sources.nginx_logs(layout.logs)
        return sources.select(sources.process_logs(layout.logs), names)

    return paths


def _clean(layout: Layout) -> int:
    from deploy.runtime.logs import supervisor_call
    from deploy.runtime.supervisor_client import connect

    client = connect(layout.socket)
    if client is not None:
        client.close()
        emptied = clean(layout.logs, lambda: supervisor_call.reopen_logs(layout.socket))
    else:
        emptied = clean(layout.logs)
    print(f"emptied {len(emptied)} logs in {layout.logs}")
    return 0
