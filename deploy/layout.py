"""Where everything of one deployment lives: `.local/` beside the configuration file, and nothing anywhere else."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from deploy.errors import DeployError

# supervisord binds the socket under a temporary name first: `<path>.<pid>`. The kernel's bound is 104 on macOS.
_LONGEST_SOCKET_PATH = 90


@dataclass(frozen=True)
class Layout:
    """Paths of the deployment whose configuration is `config` (absolute). Nothing here touches the disk."""

    config: Path
    runtime_folder: Path | None = None

    @cached_property
    def project(self) -> Path:
        """The folder of the configuration file; every process runs in it."""
        return self.config.parent

    @cached_property
    def local(self) -> Path:
        """Run-time state. Safe to remove while nothing runs, but for `data`."""
        return self.project / ".local"

    @cached_property
    def etc(self) -> Path:
        return self.local / "etc"

    @cached_property
    def run(self) -> Path:
        return self.local / "run"

    @cached_property
    def logs(self) -> Path:
        return self.local / "logs"

    @cached_property
    def data(self) -> Path:
        return self.local / "data"

    @cached_property
    def bin(self) -> Path:
        return self.local / "bin"

    @cached_property
    def supervisord_conf(self) -> Path:
        return self.etc / "supervisord.conf"

    @cached_property
    def nginx_conf(self) -> Path:
        return self.etc / "nginx.conf"

    @cached_property
    def nats_conf(self) -> Path:
        return self.etc / "nats.conf"

    @cached_property
    def bus_token(self) -> Path:
        """What the tree's own nats-server asks its clients for."""
        return self.run / "bus.token"

    @cached_property
    def access_log(self) -> Path:
        """nginx's, a JSON object a line."""
        return self.logs / "nginx-access.log"

    @cached_property
    def snapshot(self) -> Path:
        """The plan that was applied last, for `status`, `stop` and `logs`."""
        return self.etc / "tree.json"

    @cached_property
    def client_conf(self) -> Path:
        """What plain `supervisorctl`, called in the project folder, finds there."""
        return self.project / "supervisord.conf"

    @cached_property
    def lock(self) -> Path:
        return self.run / "manager.lock"

    @cached_property
    def socket(self) -> Path:
        """supervisord's control socket; in a short folder of this user's where the project's path is too long."""
        path = self.run / "supervisor.sock"
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
            return path
        # Here, not above: hardly any path is that long, and every command would pay for them.
        import hashlib
        import tempfile

        root = self.runtime_folder or Path(tempfile.gettempdir())
        digest = hashlib.sha256(os.fsencode(self.project)).hexdigest()[:16]
        return root / f"backend-{os.getuid()}-{digest}" / "supervisor.sock"

    @cached_property
    def socket_link(self) -> Path:
        """Leads to a socket that is elsewhere: the next command may run with another XDG_RUNTIME_DIR."""
        return self.run / "socket"

    def folders(self) -> tuple[Path, ...]:
        """Every folder that a running tree needs, parents first."""
        return (self.local, self.etc, self.run, self.logs, self.data, self.run / "nginx", self.socket.parent)


class PathRefused(DeployError):
    """A path that no configuration file can hold."""

    exit_code = 2


def layout_of(config: Path, environ: Mapping[str, str]) -> Layout:
    """The layout of the deployment described by `config`. Raises PathRefused."""
    _refuse_odd(os.path.abspath(config))  # noqa: PTH100 (a text is wanted)
    runtime = environ.get("XDG_RUNTIME_DIR", "")
    usable = bool(runtime) and Path(runtime).is_dir() and os.access(runtime, os.W_OK)
    layout = Layout(Path(os.path.abspath(config)), Path(runtime) if usable else None)  # noqa: PTH100 (links stay)
    if not layout.socket_link.is_symlink():
        return layout
    folder = layout.socket_link.readlink().parent
    return Layout(layout.config, folder.parent) if folder.is_dir() else layout


def _refuse_odd(path: str) -> None:
    if any(ord(character) < 32 or ord(character) == 127 or "\ud800" <= character <= "\udfff" for character in path):
        what = "holds a control character or is not UTF-8"
        raise PathRefused(f"the path {path!r} {what}; supervisord and nginx cannot name it: rename the folder")
