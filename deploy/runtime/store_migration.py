"""Has the store brought to what the servers need, once, before any of them starts."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from deploy.errors import DeployError
from deploy.runtime.progress import Progress

# Another migration of the same store is waited for this long, and one of much data takes its time.
_TIMEOUT_S = 600.0
# Looking only reads; the backend itself is patient with a locked store for 15 s.
_CHECK_TIMEOUT_S = 20.0


class MigrationFailed(DeployError):
    """The store cannot be used, or brought up to date; then it is as it was, and nothing was started or changed."""


def migrate_argv(python: Path, *, check: bool) -> list[str]:
    """The backend's own migrations. The store's URL is in the environment, for it may hold a password."""
    return [str(python), "-P", "-m", "trading_api", "migrate", "--json", *(["--check"] if check else [])]


class StoreMigration:
    """Looks in a process of its own whether there is anything to do, beside whatever else is checked meanwhile.

    Until `bring_up_to_date` it only reads. It ends with `close`.
    """

    def __init__(self, python: Path, folder: Path, environ: Mapping[str, str]) -> None:
        self._python = python
        self._folder = folder
        self._environ = environ
        self._look: subprocess.Popen[str] | None = None
        self._current: bool | None = None

    def __enter__(self) -> "StoreMigration":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def look(self, url: str) -> None:
        """Begin to look at the store at `url`."""
        self._environ = {**self._environ, "TRADING_STORE_URL": url}
        self._look = self._spawn(check=True)

    def is_current(self) -> bool:
        """Whether nothing has to be done. Waits for the look. Raises MigrationFailed for a store of no use."""
        if self._current is None:
            process, self._look = self._look or self._spawn(check=True), None
            self._current = _answer(process, _CHECK_TIMEOUT_S).get("up_to_date") is True
        return self._current

    def bring_up_to_date(self, progress: Progress) -> None:
        """Migrate the store unless it is current, and tell what was done. Raises MigrationFailed."""
        if self.is_current():
            return
        # A note, not a stage: another process may hold the store for many seconds, and stages show with processes only.
        progress.note("bringing the store up to date …")
        done = _answer(self._spawn(check=False), _TIMEOUT_S)
        if done.get("up_to_date") is not True:
            raise MigrationFailed(f"the store did not come up to date ({done}); nothing was started or changed")
        self._current = True
        for store in _changed(done):
            progress.note(f"the store {store.get('store')} went from version {store['from']} to {store.get('to')}")
        for note in _listed(done, "notes"):
            progress.note(str(note))

    def close(self) -> None:
        """End what was started and is not needed."""
        if self._look is not None:
            with self._look as process:
                process.kill()
            self._look = None

    def _spawn(self, *, check: bool) -> subprocess.Popen[str]:
        return subprocess.Popen(
            migrate_argv(self._python, check=check),
            # A relative path in the URL begins here, as it does for the servers.
            cwd=self._folder,
            env={**self._environ, "PYTHONUTF8": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            errors="replace",
        )


def _answer(process: subprocess.Popen[str], seconds: float) -> dict[str, object]:
    """What `migrate --json` says. Raises MigrationFailed with its words where that is an error, or nothing."""
    with process:
        try:
            output, errors = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            words = f"no answer within {seconds:g} s; see what holds the store"
            raise MigrationFailed(f"the store cannot be used: {words}; nothing was started or changed") from None
        except BaseException:
            # Ctrl-C. A migration is one transaction, so it has happened or it has not.
            process.kill()
            raise
    answer = _parsed(output)
    if "up_to_date" not in answer:
        words = str(answer.get("error") or (output + errors).strip() or f"exit code {process.returncode}")
        # The error tells of files that were changed before the one that could not be.
        outcome = "nothing was started" if answer.get("changed") else "nothing was started or changed"
        raise MigrationFailed(f"the store cannot be used: {words}; {outcome}")
    return answer


def _changed(answer: dict[str, object]) -> list[dict[str, object]]:
    """The files that were brought from one version to another; new ones are not worth a word."""
    stores = [store for store in _listed(answer, "stores") if isinstance(store, dict)]
    return [store for store in stores if store.get("from") not in (None, store.get("to"))]


def _listed(answer: dict[str, object], key: str) -> list[object]:
    found = answer.get(key)
    return found if isinstance(found, list) else []


def _parsed(output: str) -> dict[str, object]:
    try:
        answer = json.loads(output)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
