"""The verbs `generate`, `list-modules`, `clean-generated` and `generate-ws-routers`.

What takes long to import is imported only when something must be generated.
"""

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from trading_api.codegen.order import UP_TO_DATE, Order
from trading_api.codegen.site import Site, installed_site
from trading_api.codegen.stamp import EVERYTHING, Scope, read_stamp
from trading_api.codegen.tree import read_tree

if TYPE_CHECKING:
    from trading_api.codegen.outcome import Outcome

_AFTER_CLEANING = "a running tree writes none of it by itself; the next start of the tree does, or: make generate"


def generate(order: Order, *, as_json: bool = False) -> int:
    """Bring what `order` names up to date, or with `check` say what is not. Exit code: 0 current, 1 not, or failed."""
    site = installed_site()
    if unknown := _unknown(site, order.modules):
        return _refuse(unknown, as_json=as_json)
    # A check also compares with an earlier revision, of which the stamp knows nothing.
    if not order.output_dir and (order.quick or not order.check) and not as_json and _is_current(site, order.scope):
        print(UP_TO_DATE)
        return 0
    outcome = _run(site, order)
    from trading_api.codegen.report import print_outcome

    print_outcome(outcome, as_json=as_json)
    return 0 if outcome.ok else 1


def _run(site: Site, order: Order) -> "Outcome":
    from trading_api.codegen.rendering import WorkerRenderer, missing_tool

    if order.quick or missing_tool():
        from trading_api.codegen.full_run import run

        return run(site, order)
    # The worker imports what renders while this process imports what is to be described.
    with WorkerRenderer() as renderer:
        from trading_api.codegen.full_run import run

        return run(site, order, renderer=renderer)


def generate_ahead(source: TextIO) -> int:
    """For the deployment tool, which starts this before it knows what it wants: look, and wait for its word.

    Ends at once with 0 when everything is current. Else reads one line, `{"check": bool, "modules": [...]}`; a name
    that is no module is the configuration's affair and left out. No line: nobody wants anything. Answers with one
    line: what `generate --json` prints, and for people `told` and `wrong`, a list of lines each.
    """
    site = installed_site()
    stamp, tree = read_stamp(site.package), read_tree(site.package)
    if stamp.covers(tree, Scope()):
        return 0
    if not stamp.scopes or stamp.tree != tree.digest:
        # Something is to be done, most likely: begin while the other side still reads its configuration.
        import trading_api.codegen.full_run  # noqa: F401
    line = source.readline()
    if not line:
        return 0
    asked = json.loads(line)
    modules = tuple(sorted(set(asked["modules"]) & site.modules.keys()))
    if _is_current(site, Scope(frozenset(modules), quick=asked["check"])):
        return 0
    from trading_api.codegen.rendering import missing_tool

    # No server uses the clients; where the tools that render them are not installed, they are nobody's affair.
    order = Order(modules=modules, check=asked["check"], quick=asked["check"] or missing_tool() is not None)
    # Silent when there is nothing to tell: this is part of another command.
    return 0 if _is_current(site, order.scope) else _answer(_run(site, order))


def _answer(outcome: "Outcome") -> int:
    """Tell the deployment tool all there is: as a document, and in the words for people."""
    from trading_api.codegen import report

    words = {"told": list(report.told(outcome)), "wrong": list(report.wrong(outcome))}
    print(json.dumps({**report.to_json(outcome), **words}))
    return 0 if outcome.ok else 1


def list_modules(*, as_json: bool = False) -> int:
    """Print every module with its versions: `broker v1 v2 (websockets: v1)`."""
    modules = installed_site().modules
    if as_json:
        rows = [
            {"name": name, "versions": list(folder.versions), "websockets": sorted(folder.ws)}
            for name, folder in modules.items()
        ]
        print(json.dumps({"modules": rows}, indent=2))
        return 0
    for name, folder in modules.items():
        sockets = f" (websockets: {', '.join(sorted(folder.ws))})" if folder.ws else ""
        print(f"{name} {' '.join(folder.versions)}{sockets}")
    return 0


def clean(*, as_json: bool = False) -> int:
    """Remove everything generated, and say what."""
    from trading_api.codegen.cleaning import clean_generated
    from trading_api.codegen.report import shown

    removed = clean_generated(installed_site())
    notes = [_AFTER_CLEANING] if removed else []
    if as_json:
        files = [{"path": str(path), "state": "removed"} for path in removed]
        print(json.dumps({"ok": True, "files": files, "notes": notes}, indent=2))
        return 0
    for path in removed:
        print(f"{shown(path)}: removed")
    for note in notes:
        print(f"note: {note}")
    return 0


def generate_ws_routers(modules: Sequence[str]) -> int:
    """Generate the WebSocket routers of `modules` (none named: every one), and nothing that follows from them."""
    from trading_api.shared.ws.module_router_generator import generate_module_routers

    site = installed_site()
    if unknown := _unknown(site, modules):
        return _refuse(unknown, as_json=False)
    return _each(modules or tuple(site.modules), lambda name: generate_module_routers(name, silent=False))


def _each(modules: Iterable[str], work: Callable[[str], bool]) -> int:
    code = 0
    for name in modules:
        try:
            print(f"{name}: {'up to date' if work(name) else 'no WebSockets'}")
        except RuntimeError as error:
            print(f"error: {error}", file=sys.stderr)
            code = 1
    return code


def _is_current(site: Site, scope: Scope) -> bool:
    return read_stamp(site.package).covers(read_tree(site.package), scope)


def _unknown(site: Site, modules: Sequence[str]) -> dict[str, str]:
    """Those of `modules` that are none, and what to say of each."""
    unknown = [name for name in modules if name not in site.modules or name == EVERYTHING]
    return {name: _no_such_module(name, tuple(site.modules)) for name in unknown}


def _refuse(unknown: Mapping[str, str], *, as_json: bool) -> int:
    """Tell of modules that are none, as of any other failure; the exit code."""
    from trading_api.codegen.outcome import Failure, Outcome
    from trading_api.codegen.report import print_outcome

    print_outcome(Outcome(failures=[Failure(*one) for one in unknown.items()]), as_json=as_json)
    return 1


def _no_such_module(name: str, known: Sequence[str]) -> str:
    import difflib  # here, not above: only a mistake needs it

    close = difflib.get_close_matches(name, known, n=1)
    question = f"did you mean {close[0]!r}? " if close else ""
    return f"unknown module {name!r}; {question}known: {', '.join(known) or 'none'}"
