"""The contracts that a run's changes are told against: what a reviewer will compare with."""

from trading_api.codegen.baseline import NoBaseline, read_baseline
from trading_api.codegen.documents import Documents, committed_documents
from trading_api.codegen.order import Order
from trading_api.codegen.site import Site

REVIEWED = "HEAD"


def former_documents(site: Site, order: Order) -> tuple[Documents, str | None]:
    """The contracts at HEAD, and `HEAD`; those on disk, and None, where git has none, and in checks and quick runs.

    The disk alone would not tell: a tree in watch mode rewrites the contracts with every edit.
    """
    if not (order.check or order.quick):
        try:
            committed = read_baseline(site.package, REVIEWED).documents
        except NoBaseline:
            committed = {}
        # An installed package below somebody's repository is in no revision of it.
        if committed:
            return committed, REVIEWED
    return committed_documents(site), None
