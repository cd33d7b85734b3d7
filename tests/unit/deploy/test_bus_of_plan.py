"""Which deployments have a bus of their own, who is told of it, and its files (D02)."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import MODULES, make_plan

from deploy.bus import runs_own_bus
from deploy.plan import Endpoint, Plan, Process, Tier
from deploy.renderers import nats
from deploy.runtime import prepare
from deploy.runtime.bus_token import bus_token
from deploy.schema import DeploymentConfig

TOKEN = "t" * 43
SERVERS: dict[str, dict[str, object]] = {
    "broker": {"port": 8001, "modules": ["broker"]},
    "datafeed": {"port": 8011, "modules": ["datafeed"], "instances": 2},
    "core": {"port": 8021, "instances": 2},
}


def _env(plan: Plan, name: str) -> Mapping[str, str]:
    return dict(next(process for process in plan.processes if process.name == name).env)


def _bus(plan: Plan) -> Process:
    assert plan.bus is not None
    return plan.bus


def test_D02_two_processes_of_a_module_that_needs_a_bus_get_one() -> None:
    plan = make_plan(servers=SERVERS)
    bus = _bus(plan)
    assert (bus.full_name, bus.tier, bus.endpoint) == ("bus", Tier.BUS, Endpoint("127.0.0.1", 4222))
    assert [process.name for process in plan.processes[:2]] == ["logs", "bus"], "before every server"
    assert plan.awaited()[0] is bus
    for name in ("datafeed-0", "datafeed-1"):
        env = _env(plan, name)
        assert env["TRADING_BUS_URL"] == "nats://127.0.0.1:4222"
        assert env["TRADING_BUS_TOKEN_FILE"] == ".local/run/bus.token"
    # These modules do not use it, so they need not restart when it comes.
    for name in ("broker-0", "core-0"):
        assert (_env(plan, name)["TRADING_BUS_URL"], _env(plan, name)["TRADING_BUS_TOKEN_FILE"]) == ("", "")


@given(
    kind=st.sampled_from(["auto", "memory", "nats"]),
    instances=st.integers(1, 4),
    core=st.integers(1, 4),
    url=st.sampled_from([None, "nats://elsewhere:4222"]),
)
def test_D02_the_tree_runs_a_bus_when_it_needs_one_and_none_is_given(
    kind: str, instances: int, core: int, url: str | None
) -> None:
    servers = {
        **SERVERS,
        "datafeed": {**SERVERS["datafeed"], "instances": instances},
        "core": {"port": 1, "instances": core},
    }
    config = DeploymentConfig.model_validate({"servers": servers, "bus": {"kind": kind, "url": url}})
    wanted = url is None and (kind == "nats" or (kind == "auto" and instances > 1))
    assert runs_own_bus(config, MODULES) is wanted
    # Without the modules only the file itself can tell.
    assert runs_own_bus(config, None) is (url is None and kind == "nats")


def test_D02_an_existing_cluster_is_told_to_everybody_and_no_server_runs() -> None:
    plan = make_plan(servers=SERVERS, bus={"url": "tls://a:1,tls://b:2", "token_file": "secrets/token"})
    assert plan.bus is None
    for process in plan.servers():
        env = dict(process.env)
        assert (env["TRADING_BUS_URL"], env["TRADING_BUS_TOKEN_FILE"]) == ("tls://a:1,tls://b:2", "secrets/token")


def test_D02_a_single_process_needs_no_bus() -> None:
    plan = make_plan(servers={**SERVERS, "datafeed": {"port": 8011, "modules": ["datafeed"]}})
    assert plan.bus is None
    assert prepare.render(plan).bus == ()
    assert nats.render(plan, TOKEN) == ()


def test_P14_the_token_is_in_two_private_files_and_nowhere_else() -> None:
    plan = make_plan(servers=SERVERS)
    conf, token = nats.render(plan, TOKEN)
    assert (conf.path, token.path) == (plan.layout.nats_conf, plan.layout.bus_token)
    assert (conf.mode, token.mode) == (0o600, 0o600)
    assert f'  token: "{TOKEN}"' in conf.content.splitlines()
    assert 'listen: "127.0.0.1:4222"' in conf.content.splitlines()
    assert token.content == f"{TOKEN}\n"
    assert TOKEN not in repr(plan)


def test_P14_neither_a_plan_nor_the_applied_tree_shows_the_password_of_a_store() -> None:
    plan = make_plan(servers=SERVERS, store={"url": "postgresql://u:hunter2@db/x"})
    assert plan.store_url == "postgresql://u:hunter2@db/x"
    assert not any("hunter2" in word for process in plan.processes for word in process.argv)
    files = prepare.render(plan)
    assert "hunter2" not in files.snapshot.content + files.nginx.content + files.client.content
    assert (files.supervisord.mode, "hunter2" in files.supervisord.content) == (0o600, True)


def test_D02_the_token_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "bus.token"
    first, second = bus_token(path), bus_token(path)
    assert first != second, "nothing is written by looking"
    assert not path.exists()
    path.touch(0o600)
    path.write_text(f"{first}\n")
    assert bus_token(path) == first == bus_token(path)


@pytest.mark.parametrize(
    "content", ["", "short\n", "t" * 43, "t" * 44 + "\n", 't"; port: 1;' + "t" * 32 + "\n", "\0" * 44]
)
def test_D02_a_token_that_is_not_whole_is_made_anew(tmp_path: Path, content: str) -> None:
    path = tmp_path / "bus.token"
    path.touch(0o600)
    path.write_text(content)
    assert bus_token(path) not in (content, content.strip())


def test_P14_a_token_that_others_could_read_is_made_anew(tmp_path: Path) -> None:
    path, link = tmp_path / "bus.token", tmp_path / "link"
    path.touch(0o600)
    path.write_text(f"{TOKEN}\n")
    link.symlink_to(path)
    assert (bus_token(path), bus_token(link) == TOKEN) == (TOKEN, False)
    path.chmod(0o640)
    assert bus_token(path) != TOKEN
    path.unlink()
    path.mkdir()
    assert bus_token(path)
