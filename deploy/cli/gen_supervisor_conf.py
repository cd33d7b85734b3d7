"""`backend-manager gen-supervisor-conf`."""

import argparse

from deploy import artifact
from deploy.cli import context
from deploy.cli.output import deliver
from deploy.renderers import supervisor


def run(arguments: argparse.Namespace) -> int:
    """Render supervisord.conf; with `--validate` let supervisor's own parser check it."""
    checked = context.check(arguments.config)
    plan = checked.complete_plan()
    file = supervisor.render(plan)
    if arguments.validate:
        from deploy.runtime import prepare, supervisor_parser

        artifact.make_folders(plan.layout.folders())
        with prepare.candidate(file) as path:
            supervisor_parser.check(path)
    deliver(file, arguments.output, checked_by="supervisor's parser" if arguments.validate else "")
    return 0
