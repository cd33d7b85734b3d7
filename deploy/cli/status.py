"""`backend-manager status`."""

import argparse

from deploy.cli import layouts
from deploy.layout import Layout
from deploy.runtime import status

NOT_RUNNING = 3
_WAY_OUT = "make supervise-down ends that, make supervise-up too, and starts anew"


def run(arguments: argparse.Namespace) -> int:
    """Show the tree. 0: all healthy; 1: something is not; 3: it does not run."""
    layout = layouts.layout_for(arguments.config)
    tree = status.read(layout)
    if arguments.json:
        print(tree.to_json())
    elif tree.supervisord:
        from deploy.cli.tables import print_status

        print_status(tree)
    else:
        print(_not_running(layout, tree.config))
    return 0 if tree.healthy else 1 if tree.supervisord else NOT_RUNNING


def _not_running(layout: Layout, config: str) -> str:
    """That nothing runs; or what does, although it should not."""
    from deploy.runtime import leftovers  # here, not above: it looks at every process

    pid = leftovers.supervisord_of(layout.supervisord_conf)
    if pid is not None:
        return f"out of reach: supervisord (pid {pid}) of {config} runs, but its socket is gone; {_WAY_OUT}"
    left = leftovers.find(layout.socket, layout.nginx_conf, layout.access_log)
    if left:
        names = ", ".join(f"{one.name} (pid {one.pid})" for one in left)
        return f"supervisord is gone, but {len(left)} of its processes still run: {names}; {_WAY_OUT}"
    return f"not running: {config}; start it with: make supervise-up"
