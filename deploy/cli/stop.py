"""`backend-manager stop`."""

import argparse
import json
import time

from deploy.cli import layouts
from deploy.cli.progress import watching
from deploy.layout import Layout
from deploy.runtime import applied
from deploy.runtime.down import Stopped, down
from deploy.runtime.lock import tree_lock

_LOCK_TIMEOUT_S = 120.0


def run(arguments: argparse.Namespace) -> int:
    """Stop the tree; nothing running is fine."""
    began = time.monotonic()
    stopped = take_down(layouts.layout_for(arguments.config), arguments.timeout, as_json=arguments.json)
    seconds = time.monotonic() - began
    if arguments.json:
        document = {
            "ok": True,
            "seconds": round(seconds, 3),
            "stopped": stopped.processes,
            "leftovers": stopped.leftovers,
        }
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        print(_summary(stopped, seconds))
    return 0


def take_down(layout: Layout, timeout: float | None, *, as_json: bool) -> Stopped:
    """Stop the tree of `layout`, with its own grace where `timeout` is None."""
    if not layout.run.is_dir():
        # Nothing to lock, and most likely nothing to stop; but `.local` may have been moved under a running tree.
        with watching(as_json=as_json) as progress:
            return down(layout, timeout or applied.AppliedTree().grace, progress)
    grace = applied.read(layout.snapshot).grace if timeout is None else timeout
    with watching(as_json=as_json) as progress, tree_lock(layout.lock, timeout=_LOCK_TIMEOUT_S, waiting=progress.note):
        return down(layout, grace, progress)


def _summary(stopped: Stopped, seconds: float) -> str:
    if stopped.processes:
        return f"stopped {len(stopped.processes)} processes in {seconds:.1f} s"
    if stopped.leftovers:
        return f"ended what an earlier supervisord had left: {', '.join(stopped.leftovers)}"
    return "nothing was running"
