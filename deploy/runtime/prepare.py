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
from deploy.renderers import nginx, snapshot, supervisor
from deploy.runtime import nginx_binary


@dataclass(frozen=True)
class Files:
    """Every file of a tree."""

    supervisord: Artifact
    nginx: Artifact
    snapshot: Artifact
    client: Artifact

    def all(self) -> tuple[Artifact, ...]:
        return (self.supervisord, self.nginx, self.snapshot, self.client)


def render(plan: Plan) -> Files:
    """All files of `plan`, as values."""
    return Files(supervisor.render(plan), nginx.render(plan), snapshot.render(plan), supervisor.render_client(plan))


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


def write(files: Files) -> list[Path]:
    """Replace what differs. A `supervisord.conf` of the user's own beside the configuration is left alone."""
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
        self._contents = [(file, _read(file.path)) for file in _ours(files)]

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
