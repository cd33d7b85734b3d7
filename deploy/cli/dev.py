"""`backend-manager dev`: the plan collapsed to one process on the gateway's port (M01)."""

import argparse
import os
import sys

from deploy.cli import context, fresh
from deploy.cli.progress import PlainProgress
from deploy.plan import Endpoint
from deploy.planner import serve_argv, serve_environment


def run(arguments: argparse.Namespace) -> int:
    """Become the one process. `ENABLED_MODULES` in the environment narrows what it serves (M02)."""
    chosen = os.environ.get("ENABLED_MODULES", "")
    with fresh.generator_for(arguments.config) as generator, fresh.migration_for(arguments.config) as store:
        checked = fresh.check(arguments.config, generator, store, _names(chosen))
        checked.check_secrets()
        store.bring_up_to_date(PlainProgress(verbose=False))
    config = checked.config
    reload = any(server.reload for server in config.servers.values())
    endpoint = Endpoint(config.nginx.host, config.nginx.port)
    argv = serve_argv(context.python(), endpoint, grace=config.shutdown.grace, reload=reload)
    modules = checked.plan(context.python()).modules
    env = {**os.environ, **serve_environment(config, modules)}
    if chosen:
        env["ENABLED_MODULES"] = chosen
    os.chdir(checked.layout.project)
    sys.stdout.flush()
    os.execve(argv[0], argv, env)  # noqa: S606 (this process becomes the server; there is no shell to want)


def _names(chosen: str) -> tuple[str, ...]:
    """The modules that `ENABLED_MODULES` names (`broker:v1,datafeed`), and core; none for an empty one."""
    names = sorted({entry.partition(":")[0].strip() for entry in chosen.split(",")} - {""})
    return ("core", *names) if names else ()
