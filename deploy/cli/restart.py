"""`backend-manager restart`."""

import argparse

from deploy.cli import context
from deploy.cli.start import bring_up
from deploy.cli.stop import take_down


def run(arguments: argparse.Namespace) -> int:
    """Stop and start the tree. A configuration with a problem is said first, and the tree goes on running."""
    checked = context.check(arguments.config)
    context.find_nginx(checked.layout)
    take_down(checked.layout, arguments.timeout, as_json=arguments.json)
    bring_up(arguments.config, as_json=arguments.json, verbose=arguments.verbose)
    return 0
