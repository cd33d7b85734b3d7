"""One process with broker and datafeed, on pushed quotes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.broker_market import add_instruments
from support.ports import free_block
from support.waiting import wait_until


class BrokerServer:
    """A running `serve`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self.process = process
        self.port = port
        self._log = log

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """Everything written so far."""
        return self._log.read_text(encoding="utf-8")

    def stop(self) -> int:
        """In good order; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def broker_server(folder: Path, **environ: str) -> Iterator[BrokerServer]:
    """Serving, with a store in `folder` that holds the instruments of `broker_market`; killed in the end."""
    store = f"sqlite:///{folder}/trading.db"
    add_instruments(store, folder)
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("TRADING_", "ENABLED_"))}
    own = {
        "ENABLED_MODULES": "broker,datafeed",
        "TRADING_FEED_KIND": "manual",
        "TRADING_DEBUG_ROUTES": "1",
        "TRADING_STORE_URL": store,
    }
    log, port = folder / f"serve-{len(list(folder.glob('serve-*.log')))}.log", free_block(1)
    argv = [sys.executable, "-P", "-m", "trading_api", "serve", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(argv, cwd=folder, env={**kept, **own, **environ}, stdout=output, stderr=output)
    server = BrokerServer(process, port, log)
    try:
        wait_until(lambda: "serving" in server.log or process.poll() is not None, timeout=60, what="a broker to serve")
        assert process.poll() is None, server.log
        yield server
    finally:
        process.kill()
        process.wait(60)
