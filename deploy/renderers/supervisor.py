"""Plan → supervisord.conf (P01)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from deploy.artifact import Artifact
from deploy.plan import Plan, Process, Tier
from deploy.renderers import supervisor_text, templates

# Fixed numbers, never positions in a list. SIGTERM stops the highest first and waits for each group.
PRIORITY = {Tier.LOGS: 50, Tier.BUS: 100, Tier.CORE: 200, Tier.MODULES: 300, Tier.GATEWAY: 900}
CLIENT_MARK = "; GENERATED. Lets plain `supervisorctl`"


@dataclass(frozen=True)
class _Group:
    name: str
    priority: int
    processes: tuple[Process, ...]

    @property
    def is_group(self) -> bool:
        """A process that bears its group's name needs no section for the group."""
        return any(process.name != self.name for process in self.processes)


_FILTERS: dict[str, Callable[..., str]] = {
    "option": lambda value: supervisor_text.option(str(value)),
    "log_file": lambda value: supervisor_text.log_file(str(value)),
    "command": supervisor_text.command,
    "environment": supervisor_text.environment,
    # supervisor takes whole seconds; rounding up never cuts a grace short.
    "seconds": lambda value: str(math.ceil(value)),
}


def render(plan: Plan) -> Artifact:
    """`.local/etc/supervisord.conf`. Mode 0600: it may carry secrets of `servers.*.env`."""
    text = templates.render(
        "supervisor",
        "supervisord.conf.j2",
        _FILTERS,
        layout=plan.layout,
        logs=plan.logs,
        groups=_groups(plan),
        root_user=plan.root_user,
    )
    return Artifact(plan.layout.supervisord_conf, text)


def render_client(plan: Plan) -> Artifact:
    """`supervisord.conf` in the project folder, for plain `supervisorctl` (P02)."""
    text = templates.render("supervisor", "supervisorctl.conf.j2", _FILTERS, layout=plan.layout)
    return Artifact(plan.layout.client_conf, text)


def _groups(plan: Plan) -> list[_Group]:
    processes = groupby(plan.processes, key=lambda process: process.group)
    return [_group(name, tuple(members)) for name, members in processes]


def _group(name: str, processes: tuple[Process, ...]) -> _Group:
    return _Group(name, PRIORITY[processes[0].tier], processes)
