"""`backend-manager plan`."""

import argparse
import json
import os
import sys
from collections.abc import Callable

from deploy import artifact
from deploy.cli import context
from deploy.plan import BUS, Plan
from deploy.runtime import prepare, reconcile
from deploy.runtime.inherited import check_inherited
from deploy.runtime.supervisor_client import connect


def run(arguments: argparse.Namespace) -> int:
    """Say what start would do now, process by process."""
    checked = context.check(arguments.config)
    plan = checked.complete_plan()
    rows = steps(plan, lambda note: print(note, file=sys.stderr))
    if arguments.json:
        print(json.dumps([{"process": name, "action": action, "why": why} for name, action, why in rows], indent=2))
        return 0
    for name, action, why in rows:
        print(f"{name:<24} {action:<8} {why}")
    return 0


def steps(plan: Plan, note: Callable[[str], None]) -> list[tuple[str, str, str]]:
    """(process, action, why) for every process of the plan and of the running tree; `note` is told what start would.

    Raises NotInherited.
    """
    client = connect(plan.layout.socket)
    if client is None:
        return [(process.full_name, "start", "the tree is not running") for process in plan.processes]
    artifact.make_folders(plan.layout.folders())
    with client:
        if words := check_inherited(plan.key_variable, client, os.environ):
            note(words)
        changes = reconcile.find_changes(plan, prepare.render(plan), client)
        names = [process.rpc_name for process in plan.processes]
        return [_step(name, changes) for name in [*names, *changes.difference.removed]]


def _step(name: str, changes: reconcile.Changes) -> tuple[str, str, str]:
    full, difference = reconcile.full_name(name), changes.difference
    if name in difference.added:
        return full, "start", "new in the configuration"
    if name in difference.changed:
        own_files = full == BUS and changes.bus_files
        why = "its nats.conf or its token changed" if own_files else "its command, environment or limits changed"
        return full, "restart", why
    if name in difference.removed:
        return full, "stop", "no longer in the configuration"
    if name in changes.dead:
        return full, "start", "it is not running"
    if full == "nginx" and changes.gateway:
        return full, "reload", "its routes or limits changed"
    return full, "leave", "unchanged"
