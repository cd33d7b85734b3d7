"""`backend-manager nginx check | install | verify` (N06)."""

import argparse
import json
import os

from deploy import artifact
from deploy.cli import context, layouts
from deploy.renderers import nginx
from deploy.runtime import nginx_binary, prepare
from deploy.runtime.nginx_binary import NginxBinary


def run(arguments: argparse.Namespace) -> int:
    """check: which nginx would run. install: make sure there is one. verify: it takes the generated file."""
    if arguments.action == "verify":
        return _verify(arguments)
    found = nginx_binary.find(os.environ)
    if arguments.action == "install":
        _link(found, arguments.config)
    _say(found, as_json=arguments.json)
    return 0


def _link(found: NginxBinary, config: str) -> None:
    """`.local/bin/nginx`: the one nginx of this project, for people and scripts."""
    layout = layouts.layout_for(config)
    artifact.make_folders([layout.local, layout.bin])
    link = layout.bin / "nginx"
    if link.is_symlink() or not link.exists():
        link.unlink(missing_ok=True)
        link.symlink_to(found.path)


def _verify(arguments: argparse.Namespace) -> int:
    checked = context.check(arguments.config)
    plan = checked.plan(context.find_nginx(checked.layout))
    artifact.make_folders(plan.layout.folders())
    prepare.check_nginx(plan, nginx.render(plan))
    _say(nginx_binary.find(os.environ), as_json=arguments.json)
    if not arguments.json:
        print(f"it takes the nginx.conf generated from {arguments.config}")
    return 0


def _say(found: NginxBinary, *, as_json: bool) -> None:
    version = ".".join(str(part) for part in found.version)
    if as_json:
        print(json.dumps({"path": str(found.path), "version": version, "source": found.source}))
    else:
        print(f"nginx {version} at {found.path} ({found.source})")
