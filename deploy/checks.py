"""What only the whole file can tell: port conflicts (C03), modules and WebSocket routes (C04)."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from deploy.bus import BUS_HOST, in_several_processes, runs_own_bus
from deploy.manifest import Manifest
from deploy.schema import DeploymentConfig
from deploy.yaml_source import KeyPath, Source, dotted

CORE = "core"
_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 (compared with, never bound here)


@dataclass(frozen=True)
class _Range:
    """The ports that one entry of the file takes: first to last, both included."""

    path: KeyPath
    host: str
    first: int
    last: int

    def describe(self) -> str:
        ports = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        return f"{dotted(self.path)} ({ports})"

    def clashes_with(self, other: "_Range") -> bool:
        same_host = self.host == other.host or bool({self.host, other.host} & _EVERY_ADDRESS)
        return same_host and self.first <= other.last and other.first <= self.last


def check(config: DeploymentConfig, manifest: Manifest | None, source: Source) -> None:
    """Add to `source` every problem between parts that are each right by themselves.

    Without a manifest, names of modules and routes are taken as they are.
    """
    _check_names(config, source)
    _check_ports(config, manifest, source)
    _check_feed(config, source)
    _check_bus(config, source)
    _check_users(config, source)
    _check_debug_routes(config, source)
    if manifest is None:
        return
    _check_bus_reach(config, manifest, source)
    _check_modules(config, manifest, source)
    _check_websocket_routes(config, manifest, source)
    _check_route_owners(config, manifest, source)


def _check_names(config: DeploymentConfig, source: Source) -> None:
    """nginx's upstreams, and files on some systems, do not tell names apart by case."""
    seen: dict[str, str] = {}
    for name in config.servers:
        first = seen.setdefault(name.lower(), name)
        if first != name:
            source.add(("servers", name), f"the names {first!r} and {name!r} differ only in case; rename one", key=True)


def _ranges(config: DeploymentConfig, manifest: Manifest | None) -> Iterator[_Range]:
    nginx = config.nginx
    if runs_own_bus(config, manifest):
        # First: where the file leaves the bus's port out, the other one is the line to show.
        yield _Range(("bus", "port"), BUS_HOST, config.bus.port, config.bus.port)
    yield _Range(("nginx", "port"), nginx.host, nginx.port, nginx.port)
    for name, server in config.servers.items():
        last = server.port + server.instances - 1
        yield _Range(("servers", name, "port"), server.host, server.port, last)


def _check_ports(config: DeploymentConfig, manifest: Manifest | None, source: Source) -> None:
    seen: list[_Range] = []
    for ports in _ranges(config, manifest):
        if ports.last > 65535:
            source.add(ports.path, f"the last instance would need port {ports.last}; ports end at 65535")
        for other in seen:
            if ports.clashes_with(other):
                message = (
                    f"port conflict: {ports.describe()} and {other.describe()}{_place(other.path, source)} overlap"
                )
                source.add(ports.path, message, hint="instance i listens on port + i")
        seen.append(ports)


def _place(path: KeyPath, source: Source) -> str:
    return f" on line {source.mark_of(path, key=True).line}" if path in source.keys else ", its default,"


def _check_feed(config: DeploymentConfig, source: Source) -> None:
    if config.feed.kind == "manual" and not config.debug_routes:
        message = "kind manual takes its quotes from POST /debug/quotes, which only debug_routes: true serves"
        source.add(("feed", "kind"), message, hint="add debug_routes: true, or choose another kind")


def _check_bus(config: DeploymentConfig, source: Source) -> None:
    """Keys of the bus that contradict each other."""
    if config.bus.url is not None and config.bus.kind == "memory":
        source.add(("bus", "url"), "kind memory has no server; leave out the URL, or write kind: nats")
    if config.bus.token_file is not None and config.bus.url is None:
        message = "only an existing cluster (bus.url) needs it; the tree makes the token of its own server itself"
        source.add(("bus", "token_file"), message)


def _check_users(config: DeploymentConfig, source: Source) -> None:
    users = config.users
    if users.mode == "jwt" and (users.key_file is None) == (users.key_env is None):
        message = "mode jwt checks tokens with one key; name its file or its environment variable"
        source.add(("users", "mode"), message, hint="set either users.key_file or users.key_env")


def _check_debug_routes(config: DeploymentConfig, source: Source) -> None:
    """Watch mode says that a deployment is for development. Without it, the routes are for nobody but this machine."""
    if not config.debug_routes or all(server.reload for server in config.servers.values()):
        return
    hosts = {config.nginx.host, *(server.host for server in config.servers.values())}
    if config.users.mode == "jwt" or not all(ipaddress.ip_address(host).is_loopback for host in hosts):
        found = "checks who asks (users.mode: jwt)" if config.users.mode == "jwt" else "listens beyond this machine"
        message = f"routes for development do not go with a deployment that {found} and does not watch its source"
        source.add(("debug_routes",), message, hint="write false, or reload: true for every server")


def _check_bus_reach(config: DeploymentConfig, manifest: Manifest, source: Source) -> None:
    """A bus in memory ends where its process does."""
    if config.bus.kind != "memory":
        return
    for name, module in in_several_processes(config, manifest):
        count = config.servers[name].instances
        message = (
            f"module {module!r} runs in {count} processes (servers.{name}.instances), which memory does not connect"
        )
        source.add(("bus", "kind"), message, hint="write kind: auto, or one instance")


def _check_modules(config: DeploymentConfig, manifest: Manifest, source: Source) -> None:
    holder: dict[str, KeyPath] = {}
    for name, server in config.servers.items():
        for index, module in enumerate(server.modules):
            path: KeyPath = ("servers", name, "modules", index)
            if path in source.unfilled:
                continue
            if module not in manifest.modules:
                source.add(path, f"unknown module {module!r}", hint=_unknown(module, manifest.modules))
            elif module != CORE and module in holder:
                source.add(path, _twice(module, holder[module], name, source))
            else:
                holder[module] = path


def _twice(module: str, first: KeyPath, server: str, source: Source) -> str:
    line = source.mark_of(first).line
    if first[1] == server:
        return f"module {module!r} is listed twice; first on line {line}"
    return f"module {module!r} is already on server {first[1]!r} (line {line}); a module belongs to one server"


def _unknown(word: str, known: Iterable[str]) -> str:
    import difflib  # here, not above: only a mistake needs it

    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.65)
    listing = f"known: {', '.join(names)}" if names else "none is known"
    fresh = "a new module needs: make generate"
    return f"did you mean {close[0]}? {listing}" if close else f"{listing}; {fresh}"


def _check_websocket_routes(config: DeploymentConfig, manifest: Manifest, source: Source) -> None:
    for route, server in (config.websocket_routes or {}).items():
        path: KeyPath = ("websocket_routes", route)
        owner = manifest.owner_of(route)
        if owner is None:
            known = [*manifest.ws_routes(), *manifest.modules]
            source.add(path, f"unknown WebSocket route {route!r}", hint=_unknown(route, known), key=True)
        if server not in _named_servers(source):
            source.add(path, f"unknown server {server!r}", hint=_unknown(server, config.servers))
        elif server in config.servers and owner not in (None, CORE, *config.servers[server].modules):
            message = f"server {server!r} does not hold the module {owner!r}, which owns the route {route!r}"
            source.add(path, message, hint=_holder_hint(str(owner), config))


def _check_route_owners(config: DeploymentConfig, manifest: Manifest, source: Source) -> None:
    """By query parameter a route's name alone has to lead to one module; nginx does not look at case."""
    if config.websocket.routing_strategy != "query_param":
        return
    owners: dict[str, str] = {}
    for module in sorted({name for server in config.servers.values() for name in server.modules}):
        entry = manifest.modules.get(module)
        for route in sorted(
            {route for version in entry.versions.values() for route in version.ws_routes} if entry else ()
        ):
            first = owners.setdefault(route.lower(), module)
            if first != module:
                message = f"the modules {first!r} and {module!r} both own the WebSocket route {route!r}"
                source.add(("websocket", "routing_strategy"), message, hint="route by path, or rename one of them")


def _named_servers(source: Source) -> Iterable[str]:
    """The servers of the file, also those that have problems of their own."""
    servers = source.data.get("servers") if isinstance(source.data, dict) else None
    return servers if isinstance(servers, dict) else ()


def _holder_hint(module: str, config: DeploymentConfig) -> str:
    holders = [name for name, server in config.servers.items() if module in server.modules]
    return f"{holders[0]} does" if holders else f"no server does; add {module} to the modules of one"
