"""Plan → `.local/etc/tree.json`: what `status`, `stop`, `logs` and supervisord's watch over hung processes need to know
of the tree that was applied.

They read this rather than the YAML, so they are quick, and right also while the YAML is being edited or broken.
"""

import json
import shlex

from deploy.artifact import Artifact
from deploy.plan import Plan, Process


def render(plan: Plan) -> Artifact:
    """The applied plan as JSON."""
    document = {
        "config": str(plan.layout.config),
        "grace": plan.grace,
        "start_deadline": plan.start_deadline,
        "health_interval": plan.health_interval,
        "health_timeout": plan.health_timeout,
        "health_failures": plan.health_failures,
        "gateway_health_paths": plan.gateway.health_paths,
        "processes": [_process(process) for process in plan.processes],
    }
    return Artifact(plan.layout.snapshot, json.dumps(document, indent=1, ensure_ascii=False) + "\n")


def _process(process: Process) -> dict[str, object]:
    endpoint = process.endpoint
    return {
        "name": process.name,
        "full_name": process.full_name,
        "tier": process.tier.name.lower(),
        "command": shlex.join(process.argv),
        "host": endpoint.reachable().host if endpoint else None,
        "port": endpoint.port if endpoint else None,
        "modules": process.modules,
        "health_path": process.health_path,
        "health_paths": process.health_paths,
    }
