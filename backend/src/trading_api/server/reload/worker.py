"""What a generation runs: imported anew by each, so that it is the code of today."""

import os
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import TypedDict

from trading_api.server.options import ServeOptions
from trading_api.server.process import tell_where_it_hangs
from trading_api.server.run import run_server
from trading_api.settings import read_settings
from trading_api.shared.logging import configure_logging
from trading_api.shared.registry import installed_modules, known_versions


class OptionFields(TypedDict):
    """The fields of ServeOptions: plain values, for the class of the parent may be of another age."""

    host: str
    port: int
    grace_s: float


def serve_generation(bound: socket.socket, options: OptionFields, on_ready: Callable[[], None]) -> None:
    """Serve on `bound` until SIGTERM, in development. Raises what keeps it from that: ModuleError, SettingsError."""
    tell_where_it_hangs()
    folders = installed_modules()
    settings = replace(read_settings(os.environ, known_versions(folders)), development=True)
    configure_logging(settings.log_level)
    run_server(bound, settings, folders, ServeOptions(**options), on_ready)
