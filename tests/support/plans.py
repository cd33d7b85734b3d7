"""Plans for unit tests: from a configuration in memory and the manifest of the golden cases."""

from collections.abc import Mapping
from pathlib import Path

from deploy import manifest
from deploy.layout import Layout
from deploy.plan import Plan, Site
from deploy.planner import plan
from deploy.schema import DeploymentConfig

MODULES = manifest.read(Path(__file__).parents[1] / "golden" / "manifest.json")
SERVERS: dict[str, dict[str, object]] = {
    "broker": {"port": 8001, "instances": 2, "modules": ["broker"]},
    "datafeed": {"port": 8003, "modules": ["datafeed"], "reload": True},
    "core": {"port": 8004},
}


def make_plan(project: Path = Path("/srv/trading"), **keys: object) -> Plan:
    """The plan of three servers in `project`; `keys` replace or add keys of the file."""
    document: Mapping[str, object] = {"servers": SERVERS, **keys}
    config = DeploymentConfig.model_validate(document)
    site = Site(Layout(project / "dev-config.yaml", Path("/tmp")), Path("/venv/bin/python"), Path("/usr/sbin/nginx"))
    return plan(config, MODULES, site)
