"""Plan → `.local/etc/tree.json`: what `status`, `stop` and `logs` need to know of the tree that was applied.

They read this rather than the YAML, so they are quick, and right also while the YAML is being edited or broken.
"""

import json

from deploy.artifact import Artifact
from deploy.plan import Plan, Process


def render(plan: Plan) -> Artifact:
    """The applied plan as JSON."""
    document = {
        "config": str(plan.layout.config),
        "grace": plan.grace,
        "health_timeout": plan.health_timeout,
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
        "host": endpoint.reachable().host if endpoint else None,
        "port": endpoint.port if endpoint else None,
        "modules": process.modules,
        "health_path": process.health_path,
        "health_paths": process.health_paths,
    }
