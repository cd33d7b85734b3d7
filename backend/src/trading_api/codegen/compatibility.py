"""Whether clients of an earlier revision still work: the contracts then against the contracts now."""

from trading_api.codegen.baseline import NoBaseline, read_baseline
from trading_api.codegen.contract_changes import contract_changes
from trading_api.codegen.documents import Documents, committed_documents, of_modules
from trading_api.codegen.order import Order
from trading_api.codegen.outcome import Outcome
from trading_api.codegen.site import Site


def compare_with_base(site: Site, order: Order, built: Documents, outcome: Outcome) -> None:
    """Add to `outcome` what breaks clients of the revision `order.base`. `built` are the contracts of this run.

    Where there is no such revision (no git, a shallow clone) a note says so: that is no fault of the contracts.
    """
    try:
        base = read_baseline(site.package, order.base)
    except NoBaseline as error:
        outcome.notes.append(f"contracts are not compared with an earlier revision: {error}")
        return
    chosen = frozenset(order.modules)
    now = {**committed_documents(site), **built}
    now = {name: document for name, document in now.items() if name.module in site.modules}
    old = dict(of_modules(base.documents, chosen))
    changes = contract_changes(old, dict(of_modules(now, chosen)))
    outcome.base = base.revision
    outcome.broken = [change for change in changes if change.change.breaking]
