"""What a new plan changes, in which order it is applied, and that a failure is undone (P06)."""

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import pytest
from support.fake_supervisor import NOTHING, FakeSupervisor
from support.plans import SERVERS, make_plan

from deploy.artifact import make_folders
from deploy.cli import plan as plan_command
from deploy.errors import DeployError
from deploy.plan import Plan
from deploy.runtime import prepare, reconcile
from deploy.runtime.health import Answer
from deploy.runtime.progress import Silent
from deploy.runtime.supervisor_client import Difference
from deploy.runtime.waiting import StartFailed

Monkey = pytest.MonkeyPatch
ALL = ("logs:logs", "core:core-0", "broker:broker-0", "broker:broker-1", "datafeed:datafeed-0", "nginx:nginx")


@pytest.fixture(autouse=True)
def _no_machine(monkeypatch: Monkey) -> None:
    """No ports are looked at, no nginx is run or reloaded, everybody is healthy at once."""
    monkeypatch.setattr(reconcile, "check_ports", list)
    monkeypatch.setattr(prepare, "check", lambda *_, **__: None)
    monkeypatch.setattr(reconcile, "wait_healthy", lambda *_, **__: None)
    monkeypatch.setattr(reconcile, "wait_gateway", lambda *_, **__: None)
    monkeypatch.setattr(reconcile, "_reload", lambda client, nginx: client.signal(nginx.rpc_name, "HUP"))
    monkeypatch.setattr(reconcile, "ask", lambda *_: Answer(True))


def _applied(tmp_path: Path) -> Plan:
    """The standard plan, with its files on disk as after an up."""
    plan = make_plan(tmp_path)
    make_folders(plan.layout.folders())
    prepare.write(prepare.render(plan))
    return plan


def _running(difference: Difference = NOTHING, states: Mapping[str, str] = {}) -> FakeSupervisor:
    """Everything runs, but for `states`."""
    return FakeSupervisor({**dict.fromkeys(ALL, "RUNNING"), **states}, difference)


def _reconcile(plan: Plan, client: FakeSupervisor) -> reconcile.Outcome:
    return reconcile.reconcile(plan, prepare.render(plan), client, Silent())


def _changing(client: FakeSupervisor) -> list[tuple[str, object]]:
    return [call for call in client.calls if call[0] not in ("compare", "confirm")]


def test_P06_nothing_changed_touches_nothing(tmp_path: Path) -> None:
    plan, client = _applied(tmp_path), _running()
    assert _reconcile(plan, client) == reconcile.Outcome()
    assert _changing(client) == []


def test_P06_a_changed_server_stops_before_it_is_adopted_and_started(tmp_path: Path) -> None:
    plan = _applied(tmp_path)
    client = _running(Difference((), ("core:core-0",), ()))
    outcome = _reconcile(plan, client)
    assert outcome.restarted == ("core:core-0",)
    assert _changing(client) == [
        ("stop", ["core:core-0"]),
        ("adopt", ["core:core-0"]),
        ("start", "core:core-0"),
        ("stop", []),
        ("adopt", []),
    ]


def test_P06_a_removed_server_stops_last_after_the_gateway_has_forgotten_it(tmp_path: Path) -> None:
    _applied(tmp_path)
    servers = {name: keys for name, keys in SERVERS.items() if name != "datafeed"}
    plan, client = make_plan(tmp_path, servers=servers), _running(Difference((), (), ("datafeed:datafeed-0",)))
    outcome = _reconcile(plan, client)
    assert outcome.stopped == ("datafeed:datafeed-0",)
    assert outcome.gateway_reloaded
    calls = _changing(client)
    assert calls.index(("HUP", "nginx:nginx")) < calls.index(("stop", ["datafeed:datafeed-0"]))
    assert calls[-1] == ("adopt", ["datafeed:datafeed-0"])


def test_P06_a_removed_server_whose_port_is_needed_makes_way_first(tmp_path: Path) -> None:
    _applied(tmp_path)
    servers = {**SERVERS, "market": SERVERS["datafeed"]}
    del servers["datafeed"]
    plan = make_plan(tmp_path, servers=servers)
    client = _running(Difference(("market:market-0",), (), ("datafeed:datafeed-0",)))
    changes = reconcile.find_changes(plan, prepare.render(plan), client)
    assert changes.in_the_way == ("datafeed:datafeed-0",)
    _reconcile(plan, client)
    calls = _changing(client)
    assert calls.index(("stop", ["datafeed:datafeed-0"])) < calls.index(("start", "market:market-0"))


def test_P06_dead_processes_are_started_again(tmp_path: Path) -> None:
    plan, client = _applied(tmp_path), _running(states={"broker:broker-1": "FATAL", "nginx:nginx": "STOPPED"})
    outcome = _reconcile(plan, client)
    assert set(outcome.started) == {"broker:broker-1", "nginx"}
    assert not outcome.gateway_reloaded
    calls = _changing(client)
    assert calls.index(("start", "broker:broker-1")) < calls.index(("start", "nginx:nginx"))


TWO = {**SERVERS, "datafeed": {"port": 8010, "modules": ["datafeed"], "instances": 2}}


def test_D02_the_bus_starts_before_the_servers_that_need_it(tmp_path: Path) -> None:
    _applied(tmp_path)
    added = ("datafeed:datafeed-1", "bus:bus")
    client = _running(Difference(added, ("datafeed:datafeed-0",), ()))
    outcome = _reconcile(make_plan(tmp_path, servers=TWO), client)
    assert (set(outcome.started), outcome.restarted) == ({"bus", "datafeed:datafeed-1"}, ("datafeed:datafeed-0",))
    starts = [name for what, name in _changing(client) if what == "start"]
    assert starts == ["bus:bus", "datafeed:datafeed-0", "datafeed:datafeed-1"]


def test_D02_a_bus_that_is_needed_no_more_stops_last(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, servers=TWO)
    make_folders(plan.layout.folders())
    prepare.write(prepare.render(plan))
    client = _running(Difference((), ("datafeed:datafeed-0",), ("bus:bus", "datafeed:datafeed-1")))
    outcome = _reconcile(make_plan(tmp_path), client)
    assert set(outcome.stopped) == {"bus", "datafeed:datafeed-1"}
    calls = _changing(client)
    assert calls.index(("start", "datafeed:datafeed-0")) < calls.index(("stop", ["bus:bus", "datafeed:datafeed-1"]))


def test_D02_a_new_token_restarts_the_bus_and_nothing_else(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, servers=TWO)
    make_folders(plan.layout.folders())
    prepare.write(prepare.render(plan))
    assert not reconcile.find_changes(plan, prepare.render(plan), _running()), "the token is kept"
    plan.layout.bus_token.unlink()
    client = _running(states={"bus:bus": "RUNNING"})
    outcome = _reconcile(plan, client)
    assert (outcome.started, outcome.restarted, outcome.stopped) == ((), ("bus",), ())
    assert plan.layout.bus_token.read_text().strip() in plan.layout.nats_conf.read_text()


def test_P12_plan_says_for_what_a_bus_restarts(tmp_path: Path, monkeypatch: Monkey) -> None:
    plan = make_plan(tmp_path, servers=TWO)
    make_folders(plan.layout.folders())
    prepare.write(prepare.render(plan))
    plan.layout.bus_token.unlink()
    states = dict.fromkeys((process.rpc_name for process in plan.processes), "RUNNING")

    def bus(difference: Difference) -> tuple[str, str]:
        monkeypatch.setattr(plan_command, "connect", lambda _: FakeSupervisor(states, difference))
        return next((action, why) for name, action, why in plan_command.steps(plan, Silent().note) if name == "bus")

    assert bus(NOTHING) == ("restart", "its nats.conf or its token changed")
    changed = Difference((), ("bus:bus",), ())
    assert bus(changed) == ("restart", "its command, environment or limits changed")


def test_D02_the_store_is_migrated_when_all_else_is_right_and_before_anything_changes(
    tmp_path: Path, monkeypatch: Monkey
) -> None:
    former = _applied(tmp_path)
    before = {path: path.read_bytes() for path in former.layout.etc.iterdir()}
    plan = make_plan(tmp_path, servers={**SERVERS, "core": {"port": 8004, "env": {"A": "b"}}})
    client = _running(Difference((), ("core:core-0",), ()))
    seen = list[str]()
    monkeypatch.setattr(prepare, "check", lambda *_: seen.append("checked"))

    def refuse() -> None:
        seen.append("migrated")
        raise DeployError("the store is too new")

    with pytest.raises(DeployError, match="too new"):
        reconcile.reconcile(plan, prepare.render(plan), client, Silent(), refuse)
    assert seen == ["checked", "migrated"]
    assert _changing(client) == []
    assert {path: path.read_bytes() for path in former.layout.etc.iterdir()} == before


@pytest.mark.parametrize("error", [StartFailed([]), KeyboardInterrupt()], ids=["failure", "Ctrl-C"])
def test_P04_whatever_ends_a_change_its_files_and_processes_go_back(
    tmp_path: Path, monkeypatch: Monkey, error: BaseException
) -> None:
    former = _applied(tmp_path)
    before = {path: path.read_bytes() for path in former.layout.etc.iterdir()}
    plan = make_plan(tmp_path, servers={**SERVERS, "core": {"port": 8004, "env": {"A": "b"}}})
    client = _running(Difference((), ("core:core-0",), ()))

    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    monkeypatch.setattr(reconcile, "wait_healthy", fail)
    with pytest.raises(type(error)) as raised:
        _reconcile(plan, client)
    assert {path: path.read_bytes() for path in former.layout.etc.iterdir()} == before
    assert _changing(client)[-4:] == [
        ("stop", ["core:core-0"]),
        ("adopt", ["core:core-0"]),
        ("start", "core:core-0"),
        ("HUP", "nginx:nginx"),
    ]
    if isinstance(raised.value, StartFailed):
        assert raised.value.aftermath == "the former configuration is in force again"


def test_P06_no_candidate_file_stays_behind(tmp_path: Path) -> None:
    plan = _applied(tmp_path)
    _reconcile(plan, _running())
    assert [path.name for path in plan.layout.etc.iterdir() if "candidate" in path.name] == []


@pytest.mark.parametrize(("rpc", "full"), [("nginx:nginx", "nginx"), ("broker:broker-0", "broker:broker-0")])
def test_P02_a_group_of_one_is_called_by_the_one_name(rpc: str, full: str) -> None:
    assert reconcile.full_name(rpc) == full
