"""A tree that runs and is only looked at: shared by every test of this file."""

import json
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from supervisor.options import ServerOptions
from support.project import Project, project_in
from support.waiting import wait_until

SECRET = "hunter2-correct-horse"
LOGS_OF_PROCESSES = {"broker-0", "broker-1", "datafeed-0", "core-0", "bus", "nginx", "logs", "supervisord"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """The standard deployment, with two brokers, hence a bus, and a secret in their environment, running."""
    with project_in(tmp_path_factory.mktemp("shared") / "project") as project:
        project.write(project.standard(broker={"instances": 2, "env": {"BROKER_SECRET": SECRET}}))
        project.up()
        yield project


def test_P01_a_program_per_instance_and_priorities_that_encode_the_order(tree: Project) -> None:
    options = ServerOptions()
    options.realize(["-c", str(tree.local / "etc" / "supervisord.conf")])
    groups = {group.name: group for group in options.process_group_configs}
    assert {name: [p.name for p in group.process_configs] for name, group in groups.items()} == {
        "broker": ["broker-0", "broker-1"],
        "datafeed": ["datafeed-0"],
        "core": ["core-0"],
        "bus": ["bus"],
        "nginx": ["nginx"],
        "logs": ["logs"],
    }
    order = [groups[name].priority for name in ("nginx", "broker", "core", "bus", "logs")]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order)
    assert groups["broker"].priority == groups["datafeed"].priority


def test_P02_plain_supervisorctl_status_needs_no_configuration_file(tree: Project) -> None:
    done = tree.supervisorctl("status")
    assert done.returncode == 0, done.stdout + done.stderr
    states = {line.split()[0]: line.split()[1] for line in done.stdout.splitlines()}
    assert states == dict.fromkeys(
        ("broker:broker-0", "broker:broker-1", "bus", "core:core-0", "datafeed:datafeed-0", "logs", "nginx"), "RUNNING"
    )


def test_P02_plain_supervisorctl_tail_shows_the_log(tree: Project) -> None:
    done = tree.supervisorctl("tail", "broker:broker-0")
    assert done.returncode == 0
    assert "serving broker v1, core v1" in done.stdout


def test_P03_the_table_says_what_runs_and_where(tree: Project) -> None:
    done = tree.run("start", check=0)
    rows = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    for name, port in (("broker:broker-1", 2), ("datafeed:datafeed-0", 4), ("core:core-0", 7), ("nginx", 0)):
        assert f"127.0.0.1:{tree.port + port}" in rows[name]
        assert "healthy" in rows[name]
    assert f"{tree.url}/api/v1/core/health" in done.stdout


def test_P06_up_with_nothing_changed_is_quick_and_restarts_nothing(tree: Project) -> None:
    before = tree.pids()
    again = tree.up()
    assert tree.pids() == before
    assert (again["fresh"], again["started"], again["restarted"], again["stopped"]) == (False, [], [], [])
    assert not again["gateway_reloaded"]
    # How quick it is on a quiet machine, `make bench` measures.
    assert again["seconds"] < 20


def test_P10_status_tells_everything_about_each_process(tree: Project) -> None:
    done = tree.run("status", "--json", check=0)
    answer = json.loads(done.stdout)
    assert answer["healthy"]
    assert psutil.Process(answer["supervisord"]).is_running()
    rows = {row["name"]: row for row in answer["processes"]}
    assert len(rows) == 7
    broker = rows["broker:broker-1"]
    assert broker["address"] == f"127.0.0.1:{tree.port + 2}"
    assert broker["modules"] == ["core", "broker"]
    assert (broker["state"], broker["health"], broker["restarts"], broker["reason"]) == ("RUNNING", "healthy", 0, "")
    assert broker["memory"] > 10_000_000
    assert broker["cpu"] > 0
    assert broker["uptime"] >= 0
    assert psutil.Process(broker["pid"]).status() != psutil.STATUS_ZOMBIE
    assert rows["logs"]["health"] == "alive"


def test_P10_status_does_not_need_a_readable_configuration(tree: Project) -> None:
    text = tree.config.read_text(encoding="utf-8")
    try:
        tree.config.write_text("servers: [this is: no longer YAML", encoding="utf-8")
        assert tree.run("status", "--json", check=0).stdout
        assert "healthy" in tree.run("status", check=0).stdout
    finally:
        tree.config.write_text(text, encoding="utf-8")


def test_P07_a_broken_configuration_leaves_the_running_tree_alone(tree: Project) -> None:
    text, before = tree.config.read_text(encoding="utf-8"), tree.pids()
    conf = (tree.local / "etc" / "supervisord.conf").read_bytes()
    try:
        tree.config.write_text(text.replace("modules", "modulse"), encoding="utf-8")
        for verb in ("start", "restart"):
            done = tree.run(verb, check=2)
            assert "did you mean" in done.stderr
        assert tree.pids() == before
        assert (tree.local / "etc" / "supervisord.conf").read_bytes() == conf
    finally:
        tree.config.write_text(text, encoding="utf-8")


def test_P12_plan_of_a_running_tree_leaves_everything(tree: Project) -> None:
    rows = json.loads(tree.run("plan", "--json", check=0).stdout)
    assert {row["process"]: row["action"] for row in rows} == dict.fromkeys(tree.pids(), "leave")


@pytest.mark.parametrize("verb", ["gen-nginx-conf", "gen-supervisor-conf"])
def test_P12_what_gen_writes_is_what_runs(tree: Project, tmp_path: Path, verb: str) -> None:
    out = tmp_path / "out.conf"
    tree.run(verb, "-o", str(out), "--validate", check=0)
    name = "nginx.conf" if "nginx" in verb else "supervisord.conf"
    assert out.read_text() == (tree.local / "etc" / name).read_text()
    assert tree.run(verb, check=0).stdout.strip() == out.read_text().strip()


def test_P12_start_takes_its_documented_flags(tree: Project) -> None:
    before = tree.pids()
    tree.run("start", "dev-config.yaml", "--generate-nginx", "--validate", "--verbose", check=0)
    assert tree.pids() == before


def test_P13_one_log_per_process_and_one_of_all(tree: Project) -> None:
    names = {path.stem for path in (tree.local / "logs").glob("*.log")}
    assert names >= LOGS_OF_PROCESSES | {"backend-unified", "nginx-access", "nginx-error"}
    assert "[INFO] trading_api.server: serving broker v1, core v1" in tree.log("broker-0")


def test_P13_the_unified_log_holds_every_line_with_its_padded_name(tree: Project) -> None:
    for name in ("broker-0", "broker-1", "core-0"):
        for line in tree.log(name).splitlines():
            whole = f"{name:<20} >> {line}"
            wait_until(lambda: whole in tree.log("backend-unified").splitlines(), what=whole)  # noqa: B023


def test_P13_the_logs_verb_merges_and_selects(tree: Project) -> None:
    lines = tree.run("logs", "--lines", "100", check=0).stdout.splitlines()
    names = {line.split(" >> ")[0] for line in lines}
    assert all(len(name) == 20 for name in names)
    assert {"broker-0", "broker-1", "core-0", "datafeed-0"} <= {name.strip() for name in names}
    chosen = tree.run("logs", "broker", check=0).stdout.splitlines()
    assert {line.split()[0] for line in chosen} == {"broker-0", "broker-1"}
    assert "there are logs of" in tree.run("logs", "brokre", check=2).stderr


def test_P13_logs_follow_shows_a_line_as_it_is_written_and_ends_on_ctrl_c(tree: Project) -> None:
    with tree.popen("logs", "-f", "-n", "0", "--nginx") as following:
        assert following.stdout is not None
        pipe = following.stdout.fileno()
        os.set_blocking(pipe, False)
        seen = ""

        def asked_and_seen() -> bool:
            nonlocal seen
            tree.get("/api/v1/core/mark-followed")
            with suppress(BlockingIOError):
                seen += os.read(pipe, 65536).decode()
            return "mark-followed" in seen

        wait_until(asked_and_seen, what="the request in the followed log", step=0.1)
        following.send_signal(2)
        assert following.wait(60) in (0, 130)
    assert "nginx-access         >> " in seen


def test_P14_the_control_socket_is_for_its_owner_only(tree: Project) -> None:
    socket = tree.local / "run" / "supervisor.sock"
    assert stat.S_IMODE(socket.stat().st_mode) == 0o700
    assert socket.stat().st_uid == os.geteuid()


def test_P14_no_file_and_no_folder_is_open_to_others(tree: Project) -> None:
    found = {path: stat.S_IMODE(path.lstat().st_mode) for path in [tree.local, *tree.local.rglob("*")]}
    assert len(found) > 20
    assert {str(path): oct(mode) for path, mode in found.items() if mode & 0o077 and not path.is_symlink()} == {}
    assert found[tree.local / "etc" / "supervisord.conf"] == 0o600


def test_P14_nothing_listens_beyond_loopback(tree: Project) -> None:
    family = {process.pid for process in tree.processes()}
    listening = [c for c in psutil.net_connections("inet") if c.status == psutil.CONN_LISTEN and c.pid in family]
    addresses = [(c.laddr.ip, c.laddr.port) for c in listening if c.laddr]
    assert {ip for ip, _ in addresses} == {"127.0.0.1"}
    expected = {tree.port + offset for offset in (0, 1, 2, 4, 7)} | {tree.bus_port}
    assert {port for _, port in addresses} == expected


def test_P14_a_secret_of_the_environment_stays_out_of_argv_and_logs(tree: Project) -> None:
    broker = psutil.Process(tree.pids()["broker:broker-0"])
    assert broker.environ()["BROKER_SECRET"] == SECRET
    for process in tree.processes():
        assert SECRET not in " ".join(process.cmdline())
    holders = [path for path in tree.folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]
    assert set(holders) == {tree.config, tree.local / "etc" / "supervisord.conf"}
    assert SECRET not in tree.run("plan", "--json").stdout + tree.run("status", "--json").stdout
