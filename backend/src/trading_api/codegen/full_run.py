"""A run that cannot rely on the stamp alone. Importing this imports what generates."""

import sys
import time
from collections.abc import Callable

from trading_api.codegen.compatibility import compare_with_base
from trading_api.codegen.documents import Documents
from trading_api.codegen.lock import locked
from trading_api.codegen.order import Order
from trading_api.codegen.outcome import Outcome
from trading_api.codegen.pipeline import Run
from trading_api.codegen.rendering import LocalRenderer, Renderer
from trading_api.codegen.site import Site
from trading_api.codegen.stamp import read_stamp
from trading_api.codegen.tree import read_tree

_PATIENCE_S = 1.0


def run(
    site: Site, order: Order, say: Callable[[str], None] | None = None, renderer: Renderer | None = None
) -> Outcome:
    """Do what `order` asks; waits for another run to end. `say` is told what is done now."""
    with locked(site.package, writing=not order.check):
        outcome, built = _generate(site, order, say or patient(sys.stderr.write), renderer or LocalRenderer())
    if order.check and not order.quick:
        compare_with_base(site, order, built, outcome)
    return outcome


def _generate(site: Site, order: Order, say: Callable[[str], None], renderer: Renderer) -> tuple[Outcome, Documents]:
    # Read under the lock: another run may just have done it.
    tree, stamp = read_tree(site.package), read_stamp(site.package)
    if order.output_dir is None and stamp.covers(tree, order.scope):
        return Outcome(check=order.check, current=True), {}
    made = Run(site, order, tree, stamp, say, renderer)
    return made.go(), made.documents


def patient(write: Callable[[str], object], clock: Callable[[], float] = time.monotonic) -> Callable[[str], None]:
    """Tells a line at a time what is done, once it has taken longer than a second."""
    began = clock()

    def say(text: str) -> None:
        if clock() - began > _PATIENCE_S:
            write(f"{text} …\n")

    return say
