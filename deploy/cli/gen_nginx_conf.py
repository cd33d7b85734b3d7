"""`backend-manager gen-nginx-conf`."""

import argparse
from pathlib import Path

from deploy import artifact
from deploy.cli import context
from deploy.cli.output import deliver
from deploy.renderers import nginx


def run(arguments: argparse.Namespace) -> int:
    """Render nginx.conf; with `--validate` let nginx check it. nginx is needed for that only."""
    checked = context.check(arguments.config)
    binary = context.find_nginx(checked.layout) if arguments.validate else Path("nginx")
    plan = checked.plan(binary)
    file = nginx.render(plan)
    if arguments.validate:
        from deploy.runtime import prepare

        artifact.make_folders(plan.layout.folders())
        prepare.check_nginx(plan, file)
    deliver(file, arguments.output, checked_by="nginx -t" if arguments.validate else "")
    return 0
