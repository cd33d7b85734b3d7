"""In development, keeps the committed documents of the modules of a process in step with its code (M05)."""

import logging
import threading
from collections.abc import Iterable

from trading_api.shared.module_app import ModuleApp
from trading_api.shared.specs.files import write_module_specs

logger = logging.getLogger(__name__)


def follow(apps: Iterable[ModuleApp]) -> threading.Thread:
    """Write the documents of `apps` in a thread, which no request waits for. Errors are logged, and end nothing.

    The files stand where watch mode does not look, so they are not followed by another reload.
    """
    thread = threading.Thread(target=_write_all, args=(tuple(apps),), name="specs", daemon=True)
    thread.start()
    return thread


def _write_all(apps: Iterable[ModuleApp]) -> None:
    for app in apps:
        try:
            changed = write_module_specs(app, app.module.folder())
        except Exception as error:  # The boundary of the thread: whatever a module's types do, the server goes on.
            logger.error("the documents of %s cannot be written: %s", app.title, error, exc_info=error)
        else:
            if changed:
                logger.info("updated %s", ", ".join(path.name for path in changed))
