"""The plan is pure, and says what the tree consists of (P01, C05, N02 to N04)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.plans import SERVERS, make_plan

from deploy.plan import Endpoint, Tier


def test_P01_every_instance_is_a_process_in_the_order_of_the_tiers() -> None:
    plan = make_plan()
    names = [process.full_name for process in plan.processes]
    assert names == ["logs", "core:core-0", "broker:broker-0", "broker:broker-1", "datafeed:datafeed-0", "nginx"]
    tiers = [process.tier for process in plan.processes]
    assert tiers == sorted(tiers)
    assert plan.processes[-1].tier is Tier.GATEWAY
    assert not plan.processes[-1].starts_by_itself


def test_C01_instance_i_listens_on_port_plus_i() -> None:
    ports = {process.name: endpoint.port for process, endpoint in make_plan().endpoints()}
    assert ports == {"core-0": 8004, "broker-0": 8001, "broker-1": 8002, "datafeed-0": 8003, "nginx": 8000}


def test_C05_core_is_in_every_server_and_never_twice() -> None:
    servers = {**SERVERS, "broker": {"port": 8001, "modules": ["core", "broker"]}}
    modules = {process.name: process.modules for process in make_plan(servers=servers).servers()}
    assert modules == {"core-0": ("core",), "broker-0": ("core", "broker"), "datafeed-0": ("core", "datafeed")}


def test_N02_without_a_server_named_core_the_first_one_serves_it() -> None:
    servers = {name: keys for name, keys in SERVERS.items() if name != "core"}
    rest = {route.prefix: route.upstream for route in make_plan(servers=servers).gateway.rest}
    assert rest["/api/v1/core"] == "broker"
    assert rest["/api/v2/broker"] == "broker", "every version is routed"


def test_N04_an_upstream_holds_all_instances_over_loopback() -> None:
    servers = {**SERVERS, "broker": {"port": 8001, "instances": 3, "modules": ["broker"], "host": "0.0.0.0"}}
    plan = make_plan(servers={**servers, "datafeed": {"port": 8010, "modules": ["datafeed"]}})
    broker = next(upstream for upstream in plan.gateway.upstreams if upstream.name == "broker")
    assert [endpoint.address for endpoint in broker.endpoints] == ["127.0.0.1:8001", "127.0.0.1:8002", "127.0.0.1:8003"]


def test_P14_secrets_are_in_the_environment_and_never_in_argv() -> None:
    servers = {**SERVERS, "core": {"port": 8004, "env": {"API_TOKEN": "hunter2"}}}
    plan = make_plan(servers=servers)
    assert ("API_TOKEN", "hunter2") in next(p for p in plan.processes if p.name == "core-0").env
    assert not any("hunter2" in word for process in plan.processes for word in process.argv)


def test_M04_reload_is_told_to_that_server_only() -> None:
    assert {process.name for process in make_plan().servers() if "--reload" in process.argv} == {"datafeed-0"}


def test_P13_the_follower_is_told_when_nothing_is_to_be_merged() -> None:
    assert "--no-unified" not in make_plan().processes[0].argv
    assert "--no-unified" in make_plan(logs={"unified": False}).processes[0].argv


def test_P05_the_grace_reaches_every_process() -> None:
    plan = make_plan(shutdown={"grace": "7s"})
    assert {process.grace for process in plan.processes} == {7.0}
    assert all(process.argv[process.argv.index("--grace") + 1] == "7" for process in plan.servers())


@pytest.mark.parametrize(("host", "address"), [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")])
def test_N04_an_address_is_written_as_urls_want_it(host: str, address: str) -> None:
    assert Endpoint(host, 80).address == address


@given(st.sampled_from(["0.0.0.0", "::", "127.0.0.1", "10.1.2.3", "::1"]), st.integers(1, 65535))
def test_N04_reachable_is_never_a_wildcard_and_is_its_own_fixed_point(host: str, port: int) -> None:
    reachable = Endpoint(host, port).reachable()
    assert reachable.host not in ("0.0.0.0", "::")
    assert reachable.port == port
    assert reachable.reachable() == reachable


@given(st.integers(1, 20), st.sampled_from([None, "5s"]))
def test_P15_the_same_input_gives_the_same_plan(instances: int, grace: str | None) -> None:
    keys: dict[str, object] = {"shutdown": {"grace": grace}} if grace else {}
    servers = {"core": {"port": 9000, "instances": instances}}
    first, second = (make_plan(Path("/p"), servers=servers, **keys) for _ in range(2))
    assert first == second
    assert len(first.servers()) == instances
    assert len({process.full_name for process in first.processes}) == len(first.processes)
