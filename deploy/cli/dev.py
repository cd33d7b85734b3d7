"""`backend-manager dev`: the plan collapsed to one process on the gateway's port (M01)."""

import argparse
import os
import sys

from deploy.cli import context
from deploy.plan import Endpoint
from deploy.planner import serve_argv, serve_environment


def run(arguments: argparse.Namespace) -> int:
    """Become the one process. `ENABLED_MODULES` in the environment narrows what it serves (M02)."""
    checked = context.check(arguments.config)
    config = checked.config
    reload = any(server.reload for server in config.servers.values())
    endpoint = Endpoint(config.nginx.host, config.nginx.port)
    argv = serve_argv(context.python(), endpoint, grace=config.shutdown.grace, reload=reload)
    modules = checked.plan(context.python()).modules
    env = {**os.environ, **serve_environment(config, modules)}
    if chosen := os.environ.get("ENABLED_MODULES"):
        env["ENABLED_MODULES"] = chosen
    os.chdir(checked.layout.project)
    sys.stdout.flush()
    os.execve(argv[0], argv, env)  # noqa: S606 (this process becomes the server; there is no shell to want)
