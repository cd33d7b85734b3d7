"""`backend-manager restart`."""

import argparse

from deploy.cli import fresh
from deploy.cli.start import bring_up
from deploy.cli.stop import take_down


def run(arguments: argparse.Namespace) -> int:
    """Stop and start the tree. A problem of the configuration, stale generated files, or a store of no use, are said
    first: then the tree goes on running.
    """
    with fresh.generator_for(arguments.config) as generator, fresh.migration_for(arguments.config) as store:
        checked = fresh.check(arguments.config, generator, store)
        store.is_current()
    checked.complete_plan()
    take_down(checked.layout, arguments.timeout, as_json=arguments.json)
    bring_up(arguments.config, as_json=arguments.json, verbose=arguments.verbose)
    return 0
