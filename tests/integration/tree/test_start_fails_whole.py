"""Up fails whole (P04), and what stands in its way before anything starts (P07)."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from support.fake_nginx import fake_nginx
from support.probe_module import probe_config
from support.project import Project


def _listen(port: int) -> socket.socket:
    held = socket.socket()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held.bind(("127.0.0.1", port))
    held.listen()
    return held


def _bystander() -> "subprocess.Popen[bytes]":
    """A living process that has nothing to do with us."""
    return subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])


def _assert_nothing_written(project: Project) -> None:
    assert not (project.folder / "supervisord.conf").exists()
    assert list(project.local.glob("etc/*")) == []
    assert list(project.local.glob("logs/*")) == []


@pytest.mark.parametrize("offset", [0, 1, 5], ids=["gateway", "server", "second instance"])
def test_P07_a_busy_port_is_named_with_its_holder_who_survives(project: Project, offset: int) -> None:
    project.write(project.standard(datafeed={"instances": 2}))
    port = project.port + offset
    code = f"import socket; s = socket.create_server(('127.0.0.1', {port})); print('ready', flush=True); s.accept()"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "ready\n"
            done = project.run("start", check=1)
            assert f"{port} is held by pid {holder.pid}" in done.stderr
            assert "socket.create_server" in done.stderr
            assert "nothing was started" in done.stderr
            assert holder.poll() is None
        finally:
            holder.kill()
    _assert_nothing_written(project)
    project.assert_gone()


def test_P07_every_busy_port_is_told_at_once(project: Project) -> None:
    with _listen(project.port), _listen(project.port + 7):
        done = project.run("start", "--json", check=1)
    error = json.loads(done.stdout)["error"]
    assert f"nginx: {project.port} is held" in error
    assert f"core:core-0: {project.port + 7} is held" in error


def test_N06_a_missing_nginx_is_an_error_that_says_what_to_do(project: Project) -> None:
    project.environment["NGINX"] = str(project.folder / "no-such-nginx")
    done = project.run("start", check=1)
    assert "no such file" in done.stderr
    assert "NGINX=" in done.stderr
    _assert_nothing_written(project)
    project.assert_gone()


def test_N06_a_too_old_nginx_is_an_error_with_both_versions(project: Project, tmp_path: Path) -> None:
    old = fake_nginx(tmp_path / "bin", "nginx version: nginx/1.18.0 (Ubuntu)\nconfigure arguments: --prefix=/etc/nginx")
    project.environment["NGINX"] = str(old)
    done = project.run("start", check=1)
    assert "1.18.0" in done.stderr
    assert "1.22" in done.stderr
    _assert_nothing_written(project)
    project.assert_gone()


def test_N01_an_nginx_that_refuses_the_configuration_starts_nothing(project: Project, tmp_path: Path) -> None:
    says = "nginx version: nginx/1.24.0\nconfigure arguments:"
    refusing = fake_nginx(tmp_path / "bin", says, then='case "$*" in *-t*) echo "[emerg] no thanks" >&2; exit 1;; esac')
    project.environment["NGINX"] = str(refusing)
    done = project.run("start", check=1)
    assert "[emerg] no thanks" in done.stderr
    _assert_nothing_written(project)
    project.assert_gone()


def test_P04_a_module_that_dies_at_import_is_shown_with_its_traceback(probed: Project) -> None:
    probed.write(probe_config(probed, env={"PROBE_BROKEN": "1"}))
    done = probed.run("start", check=1)
    assert "probe:probe-0: died while starting" in done.stderr
    assert "RuntimeError: probe is broken on purpose" in done.stderr
    assert "Traceback (most recent call last)" in done.stderr
    assert "what was started has been stopped" in done.stderr
    assert "RuntimeError: probe is broken on purpose" in probed.log("probe-0")
    assert "RuntimeError: probe is broken on purpose" in probed.log("backend-unified")
    probed.assert_gone()
    assert probed.run("status").returncode == 3


@pytest.mark.parametrize("reload", [False, True], ids=["plain", "watch mode"])
def test_P04_a_server_that_dies_after_it_ran_for_a_while_is_told_at_once(probed: Project, reload: bool) -> None:
    config = probe_config(probed, env={"PROBE_FAILS": "1.5"}, health={"start_deadline": "300s"})
    config["servers"]["probe"]["reload"] = reload
    probed.write(config)
    done = probed.run("start", check=1)
    assert "probe:probe-0: died while starting" in done.stderr
    assert "RuntimeError: probe failed late on purpose" in done.stderr
    probed.assert_gone()


@pytest.mark.long
def test_P04_the_same_as_json(probed: Project) -> None:
    probed.write(probe_config(probed, env={"PROBE_BROKEN": "1"}))
    answer = json.loads(probed.run("start", "--json", check=1).stdout)
    assert (answer["ok"], answer["exit_code"]) == (False, 1)
    (failure,) = answer["failures"]
    assert failure["process"] == "probe:probe-0"
    assert "broken on purpose" in failure["reason"]
    assert failure["log"] == str(probed.local / "logs" / "probe-0.log")
    assert any("Traceback" in line for line in failure["lines"])
    probed.assert_gone()


def test_P04_a_server_that_never_gets_healthy_ends_at_the_deadline(probed: Project) -> None:
    config = probe_config(probed, env={"PROBE_HANGS": "1"}, health={"start_deadline": "20s"}, shutdown={"grace": "1s"})
    probed.write(config)
    done = probed.run("start", check=1)
    assert "probe:probe-0: not healthy within 20 s (health.start_deadline)" in done.stderr
    assert "core:core-0: " not in done.stderr
    probed.assert_gone()


@pytest.mark.long
def test_P04_a_failed_up_can_be_repaired_and_repeated(probed: Project) -> None:
    probed.write(probe_config(probed, env={"PROBE_BROKEN": "1"}))
    probed.run("start", check=1)
    probed.write(probe_config(probed))
    assert probed.up()["fresh"]


@pytest.mark.long
def test_P04_up_goes_on_when_nobody_reads_its_progress(small: Project) -> None:
    with small.popen("start", "--verbose") as starting:
        assert starting.stderr is not None
        starting.stderr.close()
        assert starting.wait(60) == 0
    assert small.status()["healthy"]


@pytest.mark.long
def test_P08_stale_files_of_a_former_tree_are_no_obstacle(small: Project) -> None:
    run = small.local / "run"
    run.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(run / "supervisor.sock"))
    bystander = _bystander()
    (run / "supervisord.pid").write_text(str(bystander.pid))
    (run / "nginx.pid").write_text(str(bystander.pid))
    (run / "manager.lock").write_text(str(bystander.pid))
    (run / "nginx.json").write_text("{ half a fil")
    (run / "logs.json").write_text("not json")
    (small.local / "etc").mkdir()
    (small.local / "etc" / "tree.json").write_text('{"config": 1}')
    with bystander:
        try:
            assert small.run("status").returncode == 3
            assert small.run("stop", check=0).stdout.startswith("nothing was running")
            assert small.up()["fresh"]
            small.down()
            assert bystander.poll() is None
        finally:
            bystander.kill()
    small.assert_gone()
