"""Plan → nats.conf and the token that it asks for."""

from deploy.artifact import Artifact
from deploy.plan import Plan

# What the servers' own bus takes (`trading_api.shared.bus`); it refuses more before sending.
_MAX_PAYLOAD = 1024 * 1024


def render(plan: Plan, token: str) -> tuple[Artifact, ...]:
    """`.local/etc/nats.conf` and `.local/run/bus.token`, both 0600; nothing where the tree has no bus of its own.

    `token` is URL-safe text. Neither JetStream nor monitoring nor a cluster: one port, on loopback.
    """
    if plan.bus is None or plan.bus.endpoint is None:
        return ()
    lines = [
        # Without the file's name: the same deployment under another name is not to restart the bus.
        "# GENERATED from the deployment's YAML file. Edits are lost: change that file and run `make supervise-up`.",
        f'listen: "{plan.bus.endpoint.address}"',
        'server_name: "bus"',
        f"max_payload: {_MAX_PAYLOAD}",
        "authorization {",
        # In quotes: a bare word that starts with a digit would be read as a number.
        f'  token: "{token}"',
        "  timeout: 2",
        "}",
        "",
    ]
    return Artifact(plan.layout.nats_conf, "\n".join(lines)), Artifact(plan.layout.bus_token, f"{token}\n")
