"""Checks before anything starts."""

from collections.abc import Iterable

from deploy.errors import DeployError
from deploy.plan import Endpoint, Process
from deploy.runtime.ports import busy


class PortsBusy(DeployError):
    """Ports of the plan are held by others; each is named with its holder. Nothing was started."""


def check_ports(endpoints: Iterable[tuple[Process, Endpoint]]) -> None:
    """Raise PortsBusy when others hold any of these; every one is named with its holder (P07)."""
    wanted = {(endpoint.host, endpoint.port): process.full_name for process, endpoint in endpoints}
    found = busy(wanted)
    if found:
        lines = [f"{wanted[port.host, port.port]}: {port}" for port in found]
        raise PortsBusy("\n".join([*lines, "nothing was started; free the ports, or change them in the configuration"]))
