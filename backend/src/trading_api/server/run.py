"""Builds the app and serves it on a bound socket, until a signal ends it."""

import logging
import socket
from collections.abc import Callable, Mapping
from dataclasses import replace

from trading_api.app_factory import create_app
from trading_api.server.address import local_url_of, url_of
from trading_api.server.old_objects import spare_old_objects
from trading_api.server.options import ServeOptions
from trading_api.server.process import collector_paused
from trading_api.server.server import TradingServer
from trading_api.settings import Settings
from trading_api.shared.modular_app import ModularApp
from trading_api.shared.registry import ModuleFolder

logger = logging.getLogger("trading_api.server")


def run_server(
    bound: socket.socket,
    settings: Settings,
    folders: Mapping[str, ModuleFolder],
    options: ServeOptions,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or Ctrl-C. `on_ready` is called when the first request can be served.

    Raises ModuleError when a module cannot be loaded, started or stopped.
    """
    with collector_paused():
        app = create_app(replace(settings, own_url=local_url_of(bound)), folders)
    spare_old_objects()

    def ready() -> None:
        logger.info("serving %s on %s%s", describe_modules(app), url_of(bound), settings.base_url)
        on_ready()
        if settings.development:
            # Here and not above: what a server in production never needs.
            from trading_api.shared.specs.following import follow

            follow(app.module_apps)

    TradingServer(app, options, ready).run(sockets=[bound])


def describe_modules(app: ModularApp) -> str:
    """Modules and versions in one line: `broker v1, core v1`."""
    return ", ".join(mounted.title for mounted in app.module_apps)
