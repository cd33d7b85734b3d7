"""A changed configuration restarts only what changed (P06); one tree serves every test of this file in turn."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.fake_nginx import fake_nginx
from support.probe_module import probe_config
from support.project import PATIENT, Project, project_in
from support.traffic import Traffic
from support.waiting import wait_until

from deploy.listeners.reason import tail_text


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """One project for the whole file."""
    with project_in(tmp_path_factory.mktemp("reconciling") / "project") as project:
        yield project


@pytest.fixture
def tree(shared: Project) -> Project:
    """The standard deployment, running and healthy, whatever the test before has left."""
    shared.write()
    shared.up()
    return shared


def _unchanged(before: dict[str, int], after: dict[str, int], *but: str) -> bool:
    return {name: pid for name, pid in before.items() if name not in but} == {
        name: pid for name, pid in after.items() if name not in but
    }


def test_P06_more_instances_start_the_new_ones_only(tree: Project) -> None:
    before = tree.pids()
    tree.write(tree.standard(core={"instances": 2}))
    done = tree.up()
    assert (done["started"], done["restarted"], done["stopped"]) == (["core:core-1"], [], [])
    assert done["gateway_reloaded"]
    assert _unchanged(before, tree.pids(), "core:core-1")
    assert httpx.get(f"http://127.0.0.1:{tree.port + 8}/api/v1/core/health", trust_env=False).status_code == 200


def test_P06_fewer_instances_stop_the_last_ones_and_lose_no_request(tree: Project) -> None:
    tree.write(tree.standard(core={"instances": 3}))
    tree.up()
    before = tree.pids()
    tree.write()
    with Traffic(f"{tree.url}/api/v1/core/health") as traffic:
        done = tree.up()
    assert sorted(done["stopped"]) == ["core:core-1", "core:core-2"]
    assert (done["started"], done["restarted"]) == ([], [])
    assert _unchanged(before, tree.pids(), "core:core-1", "core:core-2")
    assert tree.listening() == [tree.port, tree.port + 1, tree.port + 4, tree.port + 7]
    assert traffic.count > 20
    assert traffic.failures == []


@pytest.mark.long
def test_P06_a_moved_port_restarts_that_server_only(tree: Project) -> None:
    before = tree.pids()
    tree.write(tree.standard(broker={"port": tree.port + 2}))
    done = tree.up()
    assert (done["started"], done["restarted"], done["stopped"]) == ([], ["broker:broker-0"], [])
    assert _unchanged(before, tree.pids(), "broker:broker-0")
    assert tree.get("/api/v1/broker/health").status_code == 200
    assert tree.port + 1 not in tree.listening()


@pytest.mark.long
def test_P06_who_needs_the_moved_server_is_told_its_new_address(tree: Project) -> None:
    before = tree.pids()
    tree.write(tree.standard(datafeed={"port": tree.port + 5}))
    done = tree.up()
    # The broker takes its quotes from there.
    assert (done["started"], done["restarted"]) == ([], ["broker:broker-0", "datafeed:datafeed-0"])
    assert _unchanged(before, tree.pids(), "broker:broker-0", "datafeed:datafeed-0")
    wait_until(lambda: tree.get("/api/v1/broker/health").json()["status"] == "ok", what="a broker with quotes")


@pytest.mark.long
def test_P06_a_changed_environment_restarts_that_server_and_not_the_gateway(tree: Project) -> None:
    before = tree.pids()
    tree.write(tree.standard(core={"env": {"COLOUR": "blue; # % 'x' y"}}))
    done = tree.up()
    assert (done["started"], done["restarted"], done["gateway_reloaded"]) == ([], ["core:core-0"], False)
    assert _unchanged(before, tree.pids(), "core:core-0")


@pytest.mark.long
def test_P06_a_server_comes_and_goes(tree: Project) -> None:
    before = tree.pids()
    config = tree.standard(extra={"port": tree.port + 9})
    tree.write(config)
    came = tree.up()
    assert (came["started"], came["restarted"]) == (["extra:extra-0"], [])
    tree.write()
    went = tree.up()
    assert (went["started"], went["restarted"], went["stopped"]) == ([], [], ["extra:extra-0"])
    assert tree.pids() == before
    assert "extra" not in tree.supervisorctl("status").stdout


@pytest.mark.long
def test_P06_servers_swap_their_ports(tree: Project) -> None:
    before = tree.pids()
    tree.write(tree.standard(broker={"port": tree.port + 4}, datafeed={"port": tree.port + 1}))
    done = tree.up()
    assert sorted(done["restarted"]) == ["broker:broker-0", "datafeed:datafeed-0"]
    assert _unchanged(before, tree.pids(), "broker:broker-0", "datafeed:datafeed-0")
    for name in ("broker", "datafeed"):
        assert tree.get(f"/api/v1/{name}/health").json()["module_name"] == name


@pytest.mark.long
def test_P06_a_new_server_takes_the_port_of_a_removed_one(tree: Project) -> None:
    config = tree.standard()
    config["servers"]["market"] = config["servers"].pop("datafeed")
    tree.write(config)
    done = tree.up()
    assert (done["started"], done["restarted"], done["stopped"]) == (["market:market-0"], [], ["datafeed:datafeed-0"])
    assert tree.get("/api/v1/datafeed/health").status_code == 200


@pytest.mark.long
def test_P06_the_gateway_moves_to_another_port_without_a_restart(tree: Project) -> None:
    before = tree.pids()
    config = tree.standard()
    config["nginx"] = {"port": tree.port + 10}
    tree.write(config)
    done = tree.up()
    assert (done["started"], done["restarted"], done["gateway_reloaded"]) == ([], [], True)
    assert tree.pids() == before
    answer = httpx.get(f"http://127.0.0.1:{tree.port + 10}/api/v1/core/health", trust_env=False)
    assert answer.status_code == 200
    assert tree.port not in tree.listening()


@pytest.mark.long
def test_P06_a_body_limit_of_the_gateway_changes_what_it_lets_through(tree: Project) -> None:
    config = {**tree.standard(), "limits": {"body": "2KB"}}
    tree.write(config)
    done = tree.up()
    assert done["gateway_reloaded"]
    answer = httpx.post(f"{tree.url}/api/v1/core/health", content=b"x" * 3000, trust_env=False)
    assert answer.status_code == 413


@pytest.mark.long
def test_P06_a_change_of_routes_alone_only_reloads_the_gateway(tree: Project) -> None:
    before = tree.pids()
    config = tree.standard()
    config["nginx"]["worker_connections"] = 512
    tree.write(config)
    done = tree.up()
    assert (done["started"], done["restarted"], done["stopped"]) == ([], [], [])
    assert done["gateway_reloaded"]
    assert tree.pids() == before


@pytest.mark.long
def test_P06_what_was_stopped_by_hand_is_started_again(tree: Project) -> None:
    before = tree.pids()
    tree.supervisorctl("stop", "broker:*")
    assert tree.run("status").returncode == 1
    done = tree.up()
    assert (done["started"], done["restarted"]) == (["broker:broker-0"], [])
    assert _unchanged(before, tree.pids(), "broker:broker-0")


def test_P06_a_busy_port_of_the_new_configuration_changes_nothing(tree: Project) -> None:
    before, conf = tree.pids(), tail_text(tree.local / "etc" / "supervisord.conf")
    tree.write(tree.standard(broker={"port": tree.port + 9}))
    with socket.create_server(("127.0.0.1", tree.port + 9)):
        done = tree.run("start", check=1)
    assert f"broker:broker-0: {tree.port + 9} is held" in done.stderr
    assert tree.pids() == before
    assert tail_text(tree.local / "etc" / "supervisord.conf") == conf


def test_P12_plan_says_what_up_would_do_and_up_does_it(tree: Project) -> None:
    tree.write(tree.standard(datafeed={"instances": 2}, core={"env": {"A": "b"}}))
    rows = json.loads(tree.run("plan", "--json", check=0).stdout)
    planned = {row["process"]: row["action"] for row in rows}
    assert planned == {
        "logs": "leave",
        "core:core-0": "restart",
        "bus": "start",
        # Told of the bus, and of the datafeed's second address.
        "broker:broker-0": "restart",
        "datafeed:datafeed-0": "restart",
        "datafeed:datafeed-1": "start",
        "nginx": "reload",
    }
    done = tree.up()
    assert dict.fromkeys(done["started"], "start") | dict.fromkeys(done["restarted"], "restart") == {
        name: action for name, action in planned.items() if action in ("start", "restart")
    }
    assert done["gateway_reloaded"]


@pytest.mark.long
def test_P12_restart_gives_every_process_a_new_life(tree: Project) -> None:
    before = tree.pids()
    tree.run("restart", "--timeout", "2", "--generate-nginx", "--validate", check=0)
    after = tree.pids()
    assert set(after) == set(before)
    assert not set(after.values()) & set(before.values())


def test_P04_a_change_that_fails_is_undone(probed: Project) -> None:
    probed.up()
    before = probed.pids()
    conf = (probed.local / "etc" / "supervisord.conf").read_text()
    probed.write(probe_config(probed, env={"PROBE_BROKEN": "1"}))
    done = probed.run("start", check=1)
    assert "broken on purpose" in done.stderr
    assert "the former configuration is in force again" in done.stderr
    assert probed.get("/api/v1/probe/health").status_code == 200
    after = probed.pids()
    assert _unchanged(before, after, "probe:probe-0")
    assert (probed.local / "etc" / "supervisord.conf").read_text() == conf
    assert probed.run("status").returncode == 0


@pytest.mark.long
def test_P04_an_undo_that_cannot_bring_a_server_back_says_so_at_once(probed: Project, probe_path: Path) -> None:
    """The code on disk no longer starts, whatever the configuration: nothing but the truth can be offered."""
    probed.up()
    source = probe_path / "trading_api" / "modules" / "probe" / "service.py"
    sound = source.read_text(encoding="utf-8")
    broken = sound.replace(
        "async def startup(self):", "async def startup(self):\n        raise RuntimeError('boom at start')"
    )
    assert broken != sound
    probed.write(probe_config(probed, env={"CHANGED": "1"}, health=PATIENT))
    try:
        source.write_text(broken, encoding="utf-8")
        began = time.monotonic()
        done = probed.run("start", check=1)
        assert "boom at start" in done.stderr
        assert "but not probe:probe-0: mend the cause" in done.stderr
        assert time.monotonic() - began < 45, "it did not wait out the deadline of 60 s"
    finally:
        source.write_text(sound, encoding="utf-8")
    probed.up()
    assert probed.get("/api/v1/probe/health").status_code == 200


@pytest.mark.long
def test_P04_a_new_server_that_fails_is_taken_away_again(probed: Project) -> None:
    probed.up()
    before = probed.pids()
    config = probe_config(probed)
    config["servers"]["more"] = {"port": probed.port + 9, "env": {"TRADING_QUOTES_URL": "no url"}}
    probed.write(config)
    done = probed.run("start", check=1)
    assert "more:more-0" in done.stderr
    assert probed.pids() == before
    assert "more" not in probed.supervisorctl("status").stdout
    assert probed.get("/api/v1/probe/health").status_code == 200


def test_N01_a_gateway_configuration_that_nginx_refuses_changes_nothing(tree: Project) -> None:
    before = tree.pids()
    says = "nginx version: nginx/1.24.0\nconfigure arguments:"
    fake = fake_nginx(tree.folder / "bin", says, then='case "$*" in *-t*) echo "[emerg] no thanks" >&2; exit 1;; esac')
    tree.environment["NGINX"] = str(fake)
    try:
        done = tree.run("start", check=1)
    finally:
        del tree.environment["NGINX"]
    assert "[emerg] no thanks" in done.stderr
    assert tree.pids() == before
    assert tree.get("/api/v1/core/health").status_code == 200
