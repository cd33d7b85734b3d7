"""The verb `serve`. What takes long to import is imported after everything that can fail before."""

import logging
import os
import signal
import socket

from trading_api.server.address import AddressError, bind
from trading_api.server.options import ServeOptions
from trading_api.server.process import collector_paused, tell_where_it_hangs
from trading_api.settings import Settings, SettingsError, read_settings
from trading_api.shared.errors import ModuleError
from trading_api.shared.logging import configure_logging
from trading_api.shared.registry import ModuleFolder, installed_modules, known_versions

logger = logging.getLogger("trading_api.server")


def serve(options: ServeOptions, *, reload: bool) -> int:
    """Serve until a signal. Returns the exit code: 0 stopped as asked, 1 failed, 2 wrong settings."""
    configure_logging(Settings().log_level)
    folders = installed_modules()
    try:
        settings = read_settings(os.environ, known_versions(folders))
    except SettingsError as error:
        for problem in error.problems:
            logger.error("%s", problem)
        return 2
    configure_logging(settings.log_level)
    try:
        bound = bind(options.host, options.port)
    except AddressError as error:
        logger.error("%s", error)
        return 1
    if reload:
        return _watch(bound, settings, options)
    return _run(bound, settings, folders, options)


def _run(bound: socket.socket, settings: Settings, folders: dict[str, ModuleFolder], options: ServeOptions) -> int:
    tell_where_it_hangs()
    try:
        with collector_paused():
            from trading_api.server.run import run_server
        run_server(bound, settings, folders, options)
    except ModuleError as error:
        logger.error("%s", error, exc_info=error.__cause__ or error)
        return 1
    except Exception as error:  # The boundary of the process: its last word goes to the log like any other.
        logger.error("the server failed", exc_info=error)
        return 1
    logger.info("stopped")
    return 0


def _watch(bound: socket.socket, settings: Settings, options: ServeOptions) -> int:
    from trading_api.server.reload.reloader import Reloader

    # What hangs is the child that serves: it tells where and ends, and then this one ends. Sooner would be too soon.
    signal.signal(signal.SIGABRT, signal.SIG_IGN)
    return Reloader(bound, settings, options).run()
