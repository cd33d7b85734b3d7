"""Whether a deployment needs a bus between processes, and whether the tree runs the server of it."""

from collections.abc import Iterator

from deploy.manifest import Manifest
from deploy.schema import DeploymentConfig, ServerConfig

# The trait of a module whose processes tell each other news over the bus.
USES_BUS = "uses-bus"
BUS_HOST = "127.0.0.1"


def is_on_bus(server: ServerConfig, config: DeploymentConfig, manifest: Manifest) -> bool:
    """Whether the processes of `server` are told of a bus: a module of it uses one, and there is somebody to talk to.

    Without word of a bus in the file those are the other instances of the same server. Unknown modules use none: they
    are a problem of their own.
    """
    wanted = server.instances > 1 or config.bus.kind == "nats" or config.bus.url is not None
    return wanted and any(_has_trait(module, manifest) for module in server.modules)


def in_several_processes(config: DeploymentConfig, manifest: Manifest) -> Iterator[tuple[str, str]]:
    """(server, module) of every module that uses the bus in more than one process."""
    for name, server in config.servers.items():
        if server.instances > 1:
            yield from ((name, module) for module in server.modules if _has_trait(module, manifest))


def runs_own_bus(config: DeploymentConfig, manifest: Manifest | None) -> bool:
    """Whether the tree has a nats-server. Without a manifest: as far as the file alone tells."""
    if config.bus.url is not None or config.bus.kind == "memory":
        return False
    if config.bus.kind == "nats":
        return True
    return manifest is not None and any(in_several_processes(config, manifest))


def _has_trait(module: str, manifest: Manifest) -> bool:
    entry = manifest.modules.get(module)
    return entry is not None and USES_BUS in entry.traits
