"""What supervisord reads of the applied plan to watch over its processes (P09)."""

import os
import shlex
from pathlib import Path

import pytest
from pydantic import ValidationError
from supervisor.options import ServerOptions
from support.plans import make_plan

from deploy import artifact
from deploy.artifact import Artifact
from deploy.listeners.health_rules import AppliedRules, HealthRules
from deploy.plan import Plan
from deploy.renderers import snapshot, supervisor


def _applied(plan: Plan, folder: Path) -> AppliedRules:
    artifact.write([Artifact(folder / "tree.json", snapshot.render(plan).content)])
    return AppliedRules(folder / "tree.json")


def test_P09_the_servers_and_the_bus_are_asked_where_they_listen(tmp_path: Path) -> None:
    rules = _applied(make_plan(bus={"kind": "nats", "port": 4333}), tmp_path).read()
    health = "/api/v1/core/health"
    assert {name: str(target) for name, target in rules.targets.items()} == {
        "bus:bus": "a connection to 127.0.0.1:4333",
        "broker:broker-0": f"GET http://127.0.0.1:8001{health}",
        "broker:broker-1": f"GET http://127.0.0.1:8002{health}",
        "datafeed:datafeed-0": f"GET http://127.0.0.1:8003{health}",
        "core:core-0": f"GET http://127.0.0.1:8004{health}",
    }
    assert (rules.interval, rules.timeout, rules.failures, rules.start_deadline) == (2.0, 1.0, 5, 60.0)


def test_P09_an_ipv6_server_on_every_interface_is_asked_over_loopback(tmp_path: Path) -> None:
    rules = _applied(make_plan(servers={"core": {"port": 8001, "host": "::"}}), tmp_path).read()
    assert str(rules.targets["core:core-0"]) == "GET http://[::1]:8001/api/v1/core/health"


def test_P09_health_of_the_configuration_arrives(tmp_path: Path) -> None:
    keys = {"interval": "500ms", "timeout": "3s", "failures": 0, "start_deadline": "1m"}
    rules = _applied(make_plan(health=keys), tmp_path).read()
    assert (rules.interval, rules.timeout, rules.failures, rules.start_deadline) == (0.5, 3.0, 0, 60.0)


@pytest.mark.parametrize("keys", [{"failures": -1}, {"failures": True}, {"failures": 2.5}, {"interval": "0s"}])
def test_C02_impossible_values_are_refused(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        make_plan(health=keys)


def test_P09_a_plan_of_an_earlier_version_asks_nobody(tmp_path: Path) -> None:
    rules = _applied(make_plan(), tmp_path)
    text = (tmp_path / "tree.json").read_text()
    (tmp_path / "tree.json").write_text(text.replace('"health_failures"', '"other"'))
    assert rules.read() == HealthRules()


def test_P09_the_plan_is_read_anew_when_it_was_replaced_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = _applied(make_plan(), tmp_path)
    first = rules.read()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_text", lambda *_, **__: pytest.fail("read again"))
        assert rules.read() is first
    former = (tmp_path / "tree.json").stat()
    # The same bytes in number and, as far as the clock of the file system tells, in time.
    _applied(make_plan(health={"failures": 7}), tmp_path)
    os.utime(tmp_path / "tree.json", ns=(former.st_atime_ns, former.st_mtime_ns))
    assert rules.read().failures == 7
    (tmp_path / "tree.json").unlink()
    assert rules.read() == HealthRules()
    _applied(make_plan(), tmp_path)
    assert rules.read() == first


@pytest.mark.parametrize("name", ["plain", "a b", "50% %(x)s", "semi ;x #y", "it's"])
def test_P09_a_planned_command_is_what_supervisor_will_run(tmp_path: Path, name: str) -> None:
    """Compared word by word: a process that runs another one is not judged by this plan."""
    folder = tmp_path / name
    plan = make_plan(folder, bus={"kind": "nats"})
    for path in (folder, plan.layout.local, plan.layout.etc, plan.layout.run, plan.layout.logs):
        path.mkdir()
    artifact.write([supervisor.render(plan), snapshot.render(plan)])
    options = ServerOptions()
    options.realize(["-c", str(plan.layout.supervisord_conf)])
    commands = {
        f"{group.name}:{process.name}": tuple(shlex.split(process.command))
        for group in options.process_group_configs
        for process in group.process_configs
    }
    ((_, _, keys),) = [row for row in options.rpcinterface_factories if row[0] == "tree"]
    targets = AppliedRules(Path(options.configfile).parent / keys["tree_file"]).read().targets
    assert len(targets) == 5
    assert {target: commands[target] for target in targets} == {key: value.argv for key, value in targets.items()}
