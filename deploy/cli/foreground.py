"""`start --foreground`: the logs in the terminal until Ctrl-C, which stops the tree in order (P11)."""

import gc
import os
import sys
import threading

from deploy.cli.logs import chosen
from deploy.cli.stop import take_down
from deploy.plan import Plan
from deploy.runtime.launch import alive
from deploy.runtime.logs import view
from deploy.runtime.shield import uninterrupted
from deploy.runtime.supervisor_client import connect

_WATCH_STEP_S = 0.5


def stay(plan: Plan) -> int:
    """Follow the logs. 0 after Ctrl-C and an ordered stop; 1 when supervisord ended by itself."""
    gc.enable()
    client = connect(plan.layout.socket)
    if client is None:
        return 1
    with client:
        pid = client.pid()
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(pid, over), daemon=True)
    watcher.start()
    print("Ctrl-C stops the tree", file=sys.stderr)
    try:
        form = view.formatter(sys.stdout, os.environ)
        view.show(chosen(plan.layout, []), sys.stdout, form, lines=0, following=True, stop=over.is_set)
    except KeyboardInterrupt:
        # Outside the view, which ends by itself on Ctrl-C.
        pass
    finally:
        ended_by_itself = over.is_set()
        over.set()
        # An impatient second Ctrl-C does not leave half a tree: every tier has its grace, and no longer.
        with uninterrupted():
            take_down(plan.layout, None, as_json=False)
    if ended_by_itself:
        print("supervisord ended by itself; what it left has been stopped", file=sys.stderr)
    return int(ended_by_itself)


def _watch(pid: int, over: threading.Event) -> None:
    while alive(pid) and not over.wait(_WATCH_STEP_S):
        pass
    over.set()
