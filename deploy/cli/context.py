"""From the command line's `config` to a layout and a plan."""

import grp
import os
import pwd
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy import loader, manifest
from deploy.cli.layouts import layout_for
from deploy.layout import Layout
from deploy.manifest import Manifest
from deploy.plan import Plan, Site
from deploy.planner import plan
from deploy.schema import DeploymentConfig


@dataclass(frozen=True)
class Checked:
    """A configuration without problems, the modules it was checked against, and its layout."""

    config: DeploymentConfig
    manifest: Manifest
    layout: Layout

    def plan(self, nginx: Path) -> Plan:
        """The plan of the deployment, with `nginx` as its gateway's binary."""
        return plan(self.config, self.manifest, Site(self.layout, python(), nginx, root_user()))


def check(config: str) -> Checked:
    """Read and check the file. Raises ConfigError with everything wrong in it; nothing is written."""
    modules = manifest.read(manifest.default_path())
    return Checked(loader.load(Path(config), modules, os.environ), modules, layout_for(config))


def find_nginx(layout: Layout) -> Path:
    """The nginx to use. Raises NginxMissing or NginxUnsuitable."""
    from deploy.runtime import nginx_binary

    cache = layout.run / "nginx.json" if layout.run.is_dir() else None
    return nginx_binary.find(os.environ, cache=cache).path


def python() -> Path:
    """The interpreter that runs the servers: this one, by the name under which it knows its virtual environment."""
    return Path(sys.executable)


def root_user() -> str | None:
    """`user group` for nginx's workers where we are root: as nobody they could not reach `.local`."""
    if os.geteuid() != 0:
        return None
    return f"{pwd.getpwuid(0).pw_name} {grp.getgrgid(0).gr_name}"
