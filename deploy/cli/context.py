"""From the command line's `config` to a layout and a plan."""

import grp
import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy import loader, manifest
from deploy.bus import runs_own_bus
from deploy.cli.layouts import layout_for
from deploy.layout import Layout
from deploy.manifest import Manifest
from deploy.plan import Plan, Site
from deploy.planner import plan
from deploy.runtime import bus_token, users_key
from deploy.schema import DeploymentConfig

NATS = "nats-server"


@dataclass(frozen=True)
class Checked:
    """A configuration without problems, the modules it was checked against, and its layout."""

    config: DeploymentConfig
    manifest: Manifest
    layout: Layout

    def plan(self, nginx: Path, nats: Path = Path(NATS)) -> Plan:
        """The plan of the deployment, with `nginx` as its gateway's binary and `nats` as its bus's, if it has one."""
        return plan(self.config, self.manifest, Site(self.layout, python(), nginx, root_user(), nats))

    def check_secrets(self) -> None:
        """Raise where a secret is not there to be used: TokenFileRefused for a foreign bus's token, KeyRefused for the

        key of users.
        """
        bus_token.check_token_file(self.config.bus.token_file, self.layout.project)
        users_key.check_users_key(self.config.users, self.layout.project, os.environ)

    def complete_plan(self) -> Plan:
        """The plan with the binaries of this machine.

        Raises NginxMissing, NginxUnsuitable; NatsMissing, NatsUnsuitable where the tree runs a bus of its own;
        TokenFileRefused, KeyRefused.
        """
        self.check_secrets()
        nats = find_nats(self.layout) if runs_own_bus(self.config, self.manifest) else Path(NATS)
        return self.plan(find_nginx(self.layout), nats)


def check(config: str) -> Checked:
    """Read and check the file. Raises ConfigError with everything wrong in it; nothing is written."""
    modules = manifest.read(manifest.default_path())
    return Checked(loader.load(Path(config), modules, os.environ), modules, layout_for(config))


def find_nginx(layout: Layout) -> Path:
    """The nginx to use. Raises NginxMissing or NginxUnsuitable."""
    from deploy.runtime import nginx_binary

    return nginx_binary.find(os.environ, cache=_cache(layout, "nginx.json")).path


def find_nats(layout: Layout) -> Path:
    """The nats-server to use. Raises NatsMissing or NatsUnsuitable."""
    from deploy.runtime import nats_binary

    return nats_binary.find(os.environ, cache=_cache(layout, "nats.json")).path


def _cache(layout: Layout, name: str) -> Path | None:
    return layout.run / name if layout.run.is_dir() else None


def python() -> Path:
    """The interpreter that runs the servers: this one, by the name under which it knows its virtual environment."""
    return Path(sys.executable)


def root_user() -> str | None:
    """`user group` for nginx's workers where we are root: as nobody they could not reach `.local`."""
    if os.geteuid() != 0:
        return None
    return f"{pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name}"
