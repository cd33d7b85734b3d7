"""How the deployment tells the broker where the datafeed is: only where it is elsewhere, and only the broker."""

from dataclasses import replace
from pathlib import Path

from support.plans import MODULES, SERVERS

from deploy.layout import Layout
from deploy.manifest import Manifest
from deploy.plan import Site
from deploy.planner import plan
from deploy.schema import DeploymentConfig
from trading_api.modules.broker import BrokerModule

KEY = "TRADING_QUOTES_URL"
BROKER = replace(MODULES.modules["broker"], traits=BrokerModule.traits)
MANIFEST = Manifest({**MODULES.modules, "broker": BROKER})


def told(servers: dict[str, dict[str, object]], **keys: object) -> dict[str, str]:
    """Process → the value, where it is set."""
    config = DeploymentConfig.model_validate({"servers": servers, **keys})
    site = Site(Layout(Path("/srv/dev-config.yaml"), Path("/tmp")), Path("/venv/bin/python"), Path("/usr/sbin/nginx"))
    environments = {process.name: dict(process.env) for process in plan(config, MANIFEST, site).processes}
    return {name: env[KEY] for name, env in environments.items() if KEY in env}


def test_M03_every_broker_gets_the_addresses_of_every_datafeed() -> None:
    servers = {**SERVERS, "datafeed": {"port": 8010, "modules": ["datafeed"], "instances": 2, "host": "0.0.0.0"}}
    url = "ws://127.0.0.1:8010/base/v1/datafeed/ws,ws://127.0.0.1:8011/base/v1/datafeed/ws"
    assert told(servers, api_base_url="/base") == {"broker-0": url, "broker-1": url}


def test_M03_a_broker_beside_its_datafeed_uses_its_own() -> None:
    assert told({"both": {"port": 8001, "modules": ["broker", "datafeed"], "instances": 2}}) == {}


def test_M03_without_a_datafeed_there_is_nothing_to_tell() -> None:
    assert told({"broker": {"port": 8001, "modules": ["broker"]}}) == {}


def test_M03_the_configuration_has_the_last_word() -> None:
    broker = {"port": 8001, "modules": ["broker"], "env": {KEY: "ws://elsewhere/"}}
    assert told({**SERVERS, "broker": broker}) == {"broker-0": "ws://elsewhere/"}
