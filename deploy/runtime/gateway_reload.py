"""A reload of nginx, and the proof that it took place: a refused one is told in a log only."""

import time

import psutil

from deploy.errors import DeployError

_PATIENCE_S = 5.0
_STEP_S = 0.01
_LEAVING = "shutting down"


class ReloadRefused(DeployError):
    """nginx went on with its former configuration, although `nginx -t` took the new one."""


class Reload:
    """Made before the signal, asked after it. `master` is the pid of nginx's master process."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._former = _workers(master)

    def wait(self) -> None:
        """Return when new workers serve and the former ones accept nothing any more. Raises ReloadRefused."""
        deadline = time.monotonic() + _PATIENCE_S
        while not self._is_done():
            if time.monotonic() > deadline:
                raise ReloadRefused(
                    f"nginx did not take its new configuration in {_PATIENCE_S:g} s; see .local/logs/nginx-error.log"
                )
            time.sleep(_STEP_S)

    def _is_done(self) -> bool:
        workers = _workers(self._master)
        return bool(workers - self._former) and all(_is_leaving(pid) for pid in workers & self._former)


def _workers(master: int) -> set[int]:
    try:
        return {child.pid for child in psutil.Process(master).children()}
    except psutil.Error:
        return set()


def _is_leaving(pid: int) -> bool:
    try:
        process = psutil.Process(pid)
        return process.status() == psutil.STATUS_ZOMBIE or _LEAVING in " ".join(process.cmdline())
    except psutil.Error:
        return True
