"""P08: after `kill -9` of supervisord its own children are found and ended, and nobody else's."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from support.fake_tree import kill, program, supervised
from support.waiting import wait_until

from deploy.renderers.nginx_text import quote
from deploy.runtime.leftovers import end, find

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="the finer rules need /proc"),
]

# A server with a child, which ignores nothing; and one that ignores SIGTERM.
SERVER = "import subprocess,sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
SLEEPER = "import time; time.sleep(600)"
DEAF = "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "it's 100% ä"
    path.mkdir()
    return path


def nothing(folder: Path) -> bool:
    return find(folder / "supervisor.sock", folder / "nginx.conf", folder / "access.log") == []


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_P08_without_a_tree_there_is_nothing(folder: Path) -> None:
    assert nothing(folder)
    assert end([], 1.0) == []


def test_P08_children_and_their_children_are_found_and_ended_only_after_supervisord_died(folder: Path) -> None:
    programs = program("broker-0", SERVER, folder, "stopasgroup=true")
    programs += program("core-0", SLEEPER, folder)
    socket, conf = folder / "supervisor.sock", folder / "nginx.conf"
    with supervised(folder, programs, ready=2) as supervisord:
        wait_until(lambda: len(psutil.Process(supervisord.pid).children(recursive=True)) == 3, what="the grandchild")
        assert nothing(folder)
        kill(supervisord)
        found = find(socket, conf, folder / "access.log")
        assert sorted(left.name for left in found) == ["broker-0", "broker-0", "core-0"]
        assert find(folder / "other.sock", conf, folder / "access.log") == []
        assert set(end(found, 5.0)) == set(found)
        assert nothing(folder)


def test_P08_a_worker_whose_parent_was_killed_as_well_is_found(folder: Path) -> None:
    programs = program("broker-0", SERVER, folder, "autorestart=false")
    with supervised(folder, programs, ready=1) as supervisord:
        tree = psutil.Process(supervisord.pid)
        wait_until(lambda: len(tree.children(recursive=True)) == 2, what="the grandchild")
        (parent,) = tree.children()
        (worker,) = parent.children()
        kill(supervisord)
        parent.kill()
        wait_until(lambda: gone(parent.pid), what="the end of the parent")
        found = find(folder / "supervisor.sock", folder / "nginx.conf", folder / "access.log")
        assert [left.pid for left in found] == [worker.pid]
        assert end(found, 5.0) == found


def test_P08_what_ignores_sigterm_is_killed_after_the_grace(folder: Path) -> None:
    log = folder / "broker-0.log"
    with supervised(folder, program("broker-0", DEAF, folder), ready=1) as supervisord:
        wait_until(lambda: "deaf" in log.read_text(), what="the handler")
        kill(supervisord)
        found = find(folder / "supervisor.sock", folder / "nginx.conf", folder / "access.log")
        assert end(found, 0.2) == found
        assert all(gone(left.pid) for left in found)


def inherited(folder: Path, argv: list[str], descriptor: int, *, session: bool) -> subprocess.Popen[bytes]:
    """A process that has our variables, but that a person started: at a terminal, or apart from the tree."""
    environ = os.environ | {
        "SUPERVISOR_SERVER_URL": f"unix://{folder}/supervisor.sock",
        "SUPERVISOR_PROCESS_NAME": "broker-0",
        "SUPERVISOR_ENABLED": "1",
    }
    return subprocess.Popen(
        argv, env=environ, stdin=descriptor, stdout=descriptor, stderr=descriptor, start_new_session=session
    )


@pytest.fixture
def terminal() -> Iterator[int]:
    master, slave = pty.openpty()
    yield slave
    os.close(slave)
    os.close(master)


@pytest.mark.parametrize("session", [True, False])
def test_P08_a_shell_that_a_person_opened_is_left_alone(folder: Path, terminal: int, session: bool) -> None:
    with inherited(folder, ["sleep", "600"], terminal, session=session) as shell:
        wait_until(lambda: psutil.Process(shell.pid).name() == "sleep", what="exec")
        try:
            assert nothing(folder)
        finally:
            shell.kill()


def test_P08_a_job_of_such_a_shell_is_left_alone(folder: Path, terminal: int) -> None:
    # An interactive shell gives each job a process group; its output may well be a pipe.
    job = "import os,sys; os.setpgid(0, 0); print(os.getpid(), flush=True); os.execvp('sleep', ['sleep', '600'])"
    script = f'"{sys.executable}" -c "{job}" </dev/null | tee "$0" & wait'
    note = folder / "job"
    with inherited(folder, ["sh", "-c", script, str(note)], terminal, session=True) as shell:
        pid = 0
        try:
            pid = wait_until(lambda: note.exists() and int(note.read_text() or 0), what="the job")
            wait_until(lambda: psutil.Process(pid).name() == "sleep", what="exec")
            assert nothing(folder)
        finally:
            if pid:
                os.kill(pid, signal.SIGKILL)
            shell.kill()


def test_P08_the_caller_and_its_ancestors_are_never_found(folder: Path) -> None:
    code = (
        "import os; os.setpgid(0, 0); from pathlib import Path; from deploy.runtime.leftovers import find;"
        f"print(len(find(Path({str(folder / 'supervisor.sock')!r}), Path('/nginx.conf'), Path('/access.log'))))"
    )
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as output:
        with inherited(folder, [sys.executable, "-c", code], writer, session=False) as caller:
            os.close(writer)
            assert caller.wait(60) == 0
        assert output.read() == b"0\n"


def test_P08_a_number_used_again_is_not_touched(folder: Path) -> None:
    programs = program("core-0", SLEEPER, folder)
    with supervised(folder, programs, ready=1) as supervisord:
        kill(supervisord)
        (left,) = find(folder / "supervisor.sock", folder / "nginx.conf", folder / "access.log")
        assert end([replace(left, created=left.created - 5)], 0.1) == []
        assert not gone(left.pid)
        assert end([left], 5.0) == [left]


NGINX = Path("/usr/sbin/nginx")
NGINX_CONF = "daemon off;\npid nginx.pid;\nerror_log stderr;\nworker_processes 2;\nevents {}\n"


@pytest.mark.skipif(not NGINX.exists(), reason="no nginx of the system")
def test_P08_nginx_is_found_by_exactly_its_configuration(folder: Path) -> None:
    conf = folder / "nginx.conf"
    for path in (conf, folder / "nginx.conf2"):
        path.write_text(NGINX_CONF)
    argv = [str(NGINX), "-p", str(folder), "-e", "stderr", "-c", str(conf)]
    with (folder / "out").open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as nginx:
        try:
            master = psutil.Process(nginx.pid)
            wait_until(lambda: len(master.children()) == 2, what="nginx's workers")
            found = find(folder / "supervisor.sock", conf, folder / "access.log")
            assert {left.name for left in found} == {"nginx"}
            assert {left.pid for left in found} == {nginx.pid, *(child.pid for child in master.children())}
            assert find(folder / "supervisor.sock", folder / "nginx.con", folder / "access.log") == []
            assert find(folder / "supervisor.sock", folder / "nginx.conf2", folder / "access.log") == []
            assert set(end(found, 5.0)) == set(found)
        finally:
            nginx.kill()


@pytest.mark.skipif(not NGINX.exists(), reason="no nginx of the system")
def test_P08_workers_of_a_killed_nginx_are_found_by_the_log_they_write(folder: Path) -> None:
    conf, log = folder / "nginx.conf", folder / "access.log"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {quote(str(folder / kind))};" for kind in kinds)
    user = "user root root;\n" if os.geteuid() == 0 else ""
    conf.write_text(f"{user}{NGINX_CONF}http {{ {temporary} access_log {quote(str(log))}; }}\n")
    argv = [str(NGINX), "-p", str(folder), "-e", "stderr", "-c", str(conf)]
    with (folder / "out").open("wb") as output, subprocess.Popen(argv, stdout=output, stderr=output) as nginx:
        workers: list[psutil.Process] = []
        try:
            wait_until(lambda: len(psutil.Process(nginx.pid).children()) == 2, what="nginx's workers")
            workers = psutil.Process(nginx.pid).children()
            assert find(folder / "supervisor.sock", folder / "other.conf", log) == [], "their master lives"
            nginx.kill()
            nginx.wait()
            assert find(folder / "supervisor.sock", conf, folder / "other.log") == []
            found = find(folder / "supervisor.sock", conf, log)
            assert {left.pid for left in found} == {worker.pid for worker in workers}
            assert set(end(found, 5.0)) == set(found)
        finally:
            nginx.kill()
            for worker in workers:
                if worker.is_running():
                    worker.kill()
