"""`backend-manager status`."""

import argparse

from deploy.cli import layouts
from deploy.runtime import status

NOT_RUNNING = 3


def run(arguments: argparse.Namespace) -> int:
    """Show the tree. 0: all healthy; 1: something is not; 3: it does not run."""
    tree = status.read(layouts.layout_for(arguments.config))
    if arguments.json:
        print(tree.to_json())
    elif tree.supervisord:
        from deploy.cli.tables import print_status

        print_status(tree)
    else:
        print(f"not running: {tree.config}; start it with: make supervise-up")
    return 0 if tree.healthy else 1 if tree.supervisord else NOT_RUNNING
