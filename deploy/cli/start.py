"""`backend-manager start`."""

import argparse
import json
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deploy import artifact
from deploy.cli import fresh, layouts
from deploy.cli.progress import watching
from deploy.runtime.generated import Generator
from deploy.runtime.launch import Launcher
from deploy.runtime.lock import tree_lock
from deploy.runtime.store_migration import StoreMigration

if TYPE_CHECKING:
    from deploy.plan import Plan
    from deploy.runtime.status import TreeStatus
    from deploy.runtime.up import Result

# An up that waits for another one waits longer than that one may take.
LOCK_MARGIN_S = 30.0


@dataclass(frozen=True)
class Helpers:
    """The processes that work ahead of this one."""

    generator: Generator
    store: StoreMigration
    launcher: Launcher


def run(arguments: argparse.Namespace) -> int:
    """Bring the tree up; with `--foreground` stay until it ends."""
    plan = bring_up(arguments.config, as_json=arguments.json, verbose=arguments.verbose)
    if not arguments.foreground:
        return 0
    from deploy.cli.foreground import stay

    return stay(plan)


def bring_up(config: str, *, as_json: bool, verbose: bool) -> "Plan":
    """Bring the tree of `config` up and say what runs."""
    began = time.monotonic()
    layout = layouts.layout_for(config)
    with (
        fresh.generator_for(config) as generator,
        fresh.migration_for(config) as store,
        Launcher(Path(sys.executable), layout, os.environ) as launcher,
    ):
        launcher.warm_up()
        helpers = Helpers(generator, store, launcher)
        plan, result, tree = _apply(config, helpers, as_json=as_json, verbose=verbose)
    _say(plan, result, tree, time.monotonic() - began, as_json=as_json)
    return plan


def _apply(config: str, helpers: Helpers, *, as_json: bool, verbose: bool) -> "tuple[Plan, Result, TreeStatus]":
    # Imported here, while supervisord and the generator warm up on another core.
    from deploy.renderers import templates
    from deploy.runtime import status
    from deploy.runtime.up import up

    checked = fresh.check(config, helpers.generator, helpers.store)
    plan = checked.complete_plan()
    artifact.make_folders(plan.layout.folders())
    templates.keep_compiled(plan.layout.run)
    patience = plan.start_deadline + LOCK_MARGIN_S
    with (
        watching(as_json=as_json, verbose=verbose) as progress,
        tree_lock(plan.layout.lock, timeout=patience, waiting=progress.note),
    ):
        result = up(plan, helpers.launcher, helpers.store, progress)
        # Before the lock is free: the table is to show what this command did, not what the next one undoes.
        return plan, result, status.read(plan.layout)


def _say(plan: "Plan", result: "Result", tree: "TreeStatus", seconds: float, *, as_json: bool) -> None:
    if as_json:
        document = json.loads(tree.to_json())
        document |= {"ok": True, "seconds": round(seconds, 3), "fresh": result.fresh}
        document |= {"started": result.started, "restarted": result.restarted, "stopped": result.stopped}
        document |= {"gateway_reloaded": result.gateway_reloaded}
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    from deploy.cli.tables import print_status

    print_status(tree)
    print(f"\n{summary(result, seconds)}")
    print(f"http://{plan.gateway.endpoint.reachable().address}{plan.gateway.health_paths[0]}")
    sys.stdout.flush()


def summary(result: "Result", seconds: float) -> str:
    """One line: what up did, and how long it took."""
    if result.fresh:
        return f"up in {seconds:.1f} s: {len(result.started)} processes"
    done = [
        f"{verb} {', '.join(names)}"
        for verb, names in (("started", result.started), ("restarted", result.restarted), ("stopped", result.stopped))
        if names
    ]
    if result.gateway_reloaded:
        done.append("gateway reloaded")
    return f"{'; '.join(done) or 'nothing changed, nothing restarted'} ({seconds:.1f} s)"
