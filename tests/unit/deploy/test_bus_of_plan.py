"""Which deployments have a bus of their own, who is told of it, and its files (D02)."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import MODULES, make_plan

from deploy.bus import runs_own_bus
from deploy.layout import Layout
from deploy.manifest import Manifest
from deploy.plan import Endpoint, Plan, Process, Site, Tier
from deploy.planner import plan as plan_of
from deploy.renderers import nats, nginx
from deploy.runtime import prepare
from deploy.runtime.bus_token import TokenFileRefused, bus_token, check_token_file
from deploy.schema import DeploymentConfig
from trading_api.settings import Settings, read_settings

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


def test_D02_an_existing_cluster_is_told_to_who_uses_it_and_no_server_runs() -> None:
    plan = make_plan(servers=SERVERS, bus={"url": "tls://a:1,tls://b:2", "token_file": "secrets/token"})
    assert plan.bus is None
    for process in plan.servers():
        env = dict(process.env)
        told = ("tls://a:1,tls://b:2", "secrets/token") if process.group == "datafeed" else ("", "")
        assert (env["TRADING_BUS_URL"], env["TRADING_BUS_TOKEN_FILE"]) == told


def _both_on_a_bus() -> Manifest:
    broker = MODULES.modules["broker"]
    return Manifest({**MODULES.modules, "broker": replace(broker, traits=("uses-bus",))})


@pytest.mark.parametrize(
    ("bus", "broker_is_told"),
    [({}, False), ({"kind": "nats"}, True), ({"url": "nats://elsewhere:4222"}, True), ({"port": 4333}, False)],
)
def test_P06_a_bus_for_several_datafeeds_does_not_concern_a_single_broker(
    bus: dict[str, object], broker_is_told: bool
) -> None:
    config = DeploymentConfig.model_validate({"servers": SERVERS, "bus": bus})
    site = Site(Layout(Path("/srv/trading/dev-config.yaml"), Path("/tmp")), Path("/py"), Path("/nginx"))
    made = plan_of(config, _both_on_a_bus(), site)
    assert bool(_env(made, "broker-0")["TRADING_BUS_URL"]) is broker_is_told
    assert _env(made, "datafeed-0")["TRADING_BUS_URL"]
    assert _env(made, "core-0")["TRADING_BUS_URL"] == ""


def _changed(before: Plan, after: Plan) -> set[str]:
    envs = {process.name: process.env for process in before.servers()}
    return {process.name for process in after.servers() if process.env != envs.get(process.name)}


FEED = {"kind": "replay", "seed": 9, "replay": {"symbols": ["AAPL"], "speed": 2.0, "start": "2024-01-02T14:30:00Z"}}


@pytest.mark.parametrize(
    "keys",
    [{"feed": FEED}, {"store": {"url": "sqlite:///other.db"}}, {"bus": {"port": 4333}}, {"bus": {"url": "nats://a:1"}}],
    ids=["feed", "store", "bus port", "bus url"],
)
def test_P06_feed_store_and_bus_concern_the_servers_that_use_them(keys: dict[str, object]) -> None:
    changed = make_plan(Path("/srv/trading"), servers=SERVERS, **keys)
    assert _changed(make_plan(servers=SERVERS), changed) == {"datafeed-0", "datafeed-1"}


def test_P06_another_datafeed_concerns_only_those_of_its_server_that_get_a_bus() -> None:
    one, three = ({**SERVERS, "datafeed": {**SERVERS["datafeed"], "instances": count}} for count in (1, 3))
    two = make_plan(servers=SERVERS)
    assert _changed(make_plan(servers=one), two) == {"datafeed-0", "datafeed-1"}
    assert _changed(two, make_plan(servers=three)) == {"datafeed-2"}


@pytest.mark.parametrize("count", [1, 3])
def test_P06_another_number_of_brokers_leaves_a_bus_that_runs_alone(count: int) -> None:
    """Two datafeeds keep the bus; brokers come and go."""
    site = Site(Layout(Path("/srv/trading/dev-config.yaml"), Path("/tmp")), Path("/py"), Path("/nginx"))
    plans = []
    for instances in (2, count):
        servers = {**SERVERS, "broker": {**SERVERS["broker"], "instances": instances}}
        plans.append(plan_of(DeploymentConfig.model_validate({"servers": servers}), _both_on_a_bus(), site))
    assert _bus(plans[0]) == _bus(plans[1])
    assert nats.render(plans[0], TOKEN) == nats.render(plans[1], TOKEN)


def test_P06_the_files_of_the_bus_and_gateway_are_the_same_whatever_the_configuration_is_called() -> None:
    config = DeploymentConfig.model_validate({"servers": SERVERS})
    layouts = (Layout(Path("/srv/trading") / name, Path("/tmp")) for name in ("a.yaml", "b.yaml"))
    one, other = (plan_of(config, MODULES, Site(layout, Path("/py"), Path("/nginx"))) for layout in layouts)
    assert nats.render(one, TOKEN) == nats.render(other, TOKEN)
    assert nginx.render(one) == nginx.render(other)
    assert one.processes == other.processes


def test_D02_the_shell_has_no_say_in_what_a_server_does_not_use() -> None:
    env = _env(make_plan(servers=SERVERS), "broker-0")
    unused = ("KIND", "SEED", "SPEED", "START", "SYMBOLS")
    assert [env[f"TRADING_FEED_{name}"] for name in unused] == [""] * 5
    assert env["TRADING_STORE_URL"] == ""
    settings = read_settings(env, {"core": ("v1",), "broker": ("v1", "v2"), "datafeed": ("v1",)})
    assert settings.feed == Settings().feed, "empty reads as the default"


def test_D02_a_single_process_needs_no_bus() -> None:
    plan = make_plan(servers={**SERVERS, "datafeed": {"port": 8011, "modules": ["datafeed"]}})
    assert plan.bus is None
    assert prepare.render(plan).bus == ()
    assert prepare.render(plan).obsolete == (plan.layout.nats_conf,)
    assert prepare.render(make_plan(servers=SERVERS)).obsolete == ()
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


def _given(path: Path, mode: int = 0o600, content: bytes = b"s3cret-token\n") -> None:
    path.touch(0o600)
    path.write_bytes(content)
    path.chmod(mode)


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _: None, "cannot read own.token: No such file"),
        (lambda path: path.mkdir(), "cannot read own.token: Is a directory"),
        (lambda path: _given(path, 0o640), r"mode 0640.*chmod 600 own\.token"),
        (lambda path: _given(path, 0o604), "mode 0604"),
        (lambda path: _given(path, content=b" \n"), "holds no token"),
        (lambda path: _given(path, content=b"s3cret\nline"), "holds no token"),
        (lambda path: _given(path, content=b"s3cret\xff"), "holds no token"),
    ],
)
def test_D02_a_token_file_of_no_use_is_refused_by_the_name_of_its_key(
    make: Callable[[Path], None], why: str, tmp_path: Path
) -> None:
    make(tmp_path / "own.token")
    with pytest.raises(TokenFileRefused, match=rf"^bus\.token_file: .*{why}.*nothing was started") as caught:
        check_token_file("own.token", tmp_path)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_D02_a_private_token_file_is_taken(mode: int, tmp_path: Path) -> None:
    _given(tmp_path / "own.token", mode)
    check_token_file("own.token", tmp_path)
    check_token_file(str(tmp_path / "own.token"), Path("/elsewhere"))
    check_token_file(None, tmp_path)


def test_P06_the_conf_of_a_bus_that_left_goes_and_comes_back_with_an_undone_change(tmp_path: Path) -> None:
    before = make_plan(tmp_path, servers=SERVERS)
    for folder in (before.layout.local, before.layout.etc, before.layout.run):
        folder.mkdir()
    prepare.write(prepare.render(before))
    conf, token = before.layout.nats_conf.read_text(), before.layout.bus_token.read_text()
    alone = prepare.render(
        make_plan(tmp_path, servers={**SERVERS, "datafeed": {"port": 8011, "modules": ["datafeed"]}})
    )
    former = prepare.Former(alone)
    prepare.write(alone)
    assert not before.layout.nats_conf.exists()
    assert before.layout.bus_token.read_text() == token
    former.restore()
    assert before.layout.nats_conf.read_text() == conf
