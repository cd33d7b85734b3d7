"""Whether clients of an earlier revision still work: the contracts then against the contracts now."""

from trading_api.codegen.baseline import NoBaseline, read_baseline
from trading_api.codegen.contract_changes import contract_changes
from trading_api.codegen.documents import Documents, committed_documents, of_modules
from trading_api.codegen.order import Order
from trading_api.codegen.outcome import Failure, Outcome
from trading_api.codegen.site import Site


def compare_with_base(site: Site, order: Order, built: Documents, outcome: Outcome) -> None:
    """Add to `outcome` what breaks clients of the revision `order.base`. `built` are the contracts of this run.

    Where there is no revision to choose (no git, a shallow clone) a note says so: that is no fault of the contracts.
    One that was named and is not there is an error: whoever named it relies on the answer.
    """
    try:
        base = read_baseline(site.package, order.base)
    except NoBaseline as error:
        _not_compared(order, outcome, error)
        return
    chosen = frozenset(order.modules)
    now = {**committed_documents(site), **built}
    now = {name: document for name, document in now.items() if name.module in site.modules}
    old = dict(of_modules(base.documents, chosen))
    changes = contract_changes(old, dict(of_modules(now, chosen)))
    outcome.base = base.revision
    outcome.broken = [change for change in changes if change.change.breaking]


def _not_compared(order: Order, outcome: Outcome, error: NoBaseline) -> None:
    if order.base is None:
        outcome.notes.append(f"contracts are not compared with an earlier revision: {error}")
    else:
        outcome.failures.append(Failure("", f"contracts cannot be compared with {order.base!r}: {error}"))
