"""Signals to a process that supervisord keeps, past supervisor's own bookkeeping: to supervisor it died by itself."""

import os
import signal
from contextlib import suppress
from typing import Any


def send(process: Any, number: signal.Signals) -> None:
    """Signal `process` (supervisor's Subprocess), with the group that it leads where that is to be killed with it."""
    if process.pid > 0:
        with suppress(ProcessLookupError, PermissionError):
            (os.killpg if process.config.killasgroup else os.kill)(process.pid, number)
