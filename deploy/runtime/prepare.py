"""Puts the files of a plan on disk, each checked by its real parser before it replaces the former one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from deploy import artifact
from deploy.artifact import Artifact
from deploy.layout import Layout
from deploy.plan import Plan
from deploy.renderers import nats, nginx, snapshot, supervisor
from deploy.runtime import nginx_binary
from deploy.runtime.bus_token import bus_token


@dataclass(frozen=True)
class Files:
    """Every file of a tree. `bus` is nats.conf and the token in it; empty where the tree has no bus of its own.

    `obsolete` are files that an earlier plan may have left and this one has no use for.
    """

    supervisord: Artifact
    nginx: Artifact
    snapshot: Artifact
    client: Artifact
    bus: tuple[Artifact, ...] = ()
    obsolete: tuple[Path, ...] = ()

    def all(self) -> tuple[Artifact, ...]:
        """In the order to write them: the snapshot tells where each process answers, so what they read comes before."""
        return (self.supervisord, self.nginx, *self.bus, self.snapshot, self.client)

    def bus_differs(self) -> bool:
        """Whether the bus would start anew with another configuration or token."""
        return any(file.differs() for file in self.bus)


def render(plan: Plan) -> Files:
    """All files of `plan`, as values. The bus's token is the one on disk, if there is one."""
    return Files(
        supervisor.render(plan),
        nginx.render(plan),
        snapshot.render(plan),
        supervisor.render_client(plan),
        nats.render(plan, bus_token(plan.layout.bus_token)) if plan.bus else (),
        # The token stays: the bus may come back.
        () if plan.bus else (plan.layout.nats_conf,),
    )


@contextmanager
def candidate(file: Artifact) -> Iterator[Path]:
    """`file` under another name beside its place, for a parser to look at; removed afterwards."""
    # Of this process alone: `plan` and `gen-nginx-conf` may look at theirs at the same time.
    path = file.path.with_name(f".candidate-{os.getpid()}-{file.path.name}")
    artifact.write([replace(file, path=path)])
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def check_nginx(plan: Plan, file: Artifact) -> None:
    """`nginx -t` on `file`. Raises NginxConfRefused with nginx's words."""
    with candidate(file) as path:
        nginx_binary.test_config(Path(plan.processes[-1].argv[0]), path, plan.layout.local)


def check(plan: Plan, files: Files) -> None:
    """Have the parsers of nginx and nats-server check their files. Raises NginxConfRefused, NatsConfRefused."""
    check_nginx(plan, files.nginx)
    if plan.bus is not None and files.bus_differs():
        from deploy.runtime import nats_binary  # here, not above: few deployments have a bus

        with candidate(files.bus[0]) as path:
            nats_binary.test_config(Path(plan.bus.argv[0]), path)


def write(files: Files) -> list[Path]:
    """Replace what differs, and remove what is obsolete; returns what was written.

    A `supervisord.conf` of the user's own beside the configuration is left alone.
    """
    for path in files.obsolete:
        path.unlink(missing_ok=True)
    return artifact.write(_ours(files))


def link_socket(layout: Layout) -> None:
    """Leave a link to a socket that is not in `.local`; without one, remove the link."""
    layout.socket_link.unlink(missing_ok=True)
    if layout.socket.parent != layout.run:
        layout.socket_link.symlink_to(layout.socket)


def client_conf_is_foreign(files: Files) -> bool:
    """Whether the user has a `supervisord.conf` of their own where ours would stand."""
    try:
        text = files.client.path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return not text.startswith(supervisor.CLIENT_MARK)


def _ours(files: Files) -> tuple[Artifact, ...]:
    return files.all()[:-1] if client_conf_is_foreign(files) else files.all()


class Former:
    """The files as they stood before a change, to go back to."""

    def __init__(self, files: Files) -> None:
        kept = (*_ours(files), *(Artifact(path, "") for path in files.obsolete))
        self._contents = [(file, _read(file.path)) for file in kept]

    def restore(self) -> None:
        """Write the former contents back; a file that did not exist is removed."""
        for file, content in self._contents:
            if content is None:
                file.path.unlink(missing_ok=True)
            else:
                artifact.write([replace(file, content=content)])


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
