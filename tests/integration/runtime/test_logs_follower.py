"""P13: the follower as a process, against supervisord's own rotation and its own death."""

import argparse
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from supervisor.loggers import LevelsByName, Logger, RotatingFileHandler
from support.fake_tree import program, supervised
from support.waiting import wait_until

from deploy.cli import layouts
from deploy.cli import logs as command
from deploy.runtime.logs import view
from deploy.runtime.logs.clean import clean
from deploy.runtime.logs.history import last_lines
from deploy.runtime.logs.supervisor_call import SupervisorCallError, call, reopen_logs, signal_process

pytestmark = pytest.mark.integration

Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "lo gs"
    folder.mkdir()
    return folder


@pytest.fixture
def start(tmp_path: Path, logs: Path) -> Iterator[Start]:
    started: list[subprocess.Popen[bytes]] = []

    def start_follower(max_bytes: int = 1 << 20, backups: int = 100, *more: str) -> subprocess.Popen[bytes]:
        flags = ["--logs", str(logs), "--state", str(tmp_path / "state.json"), *more]
        limits = ["--max-bytes", str(max_bytes), "--backups", str(backups)]
        argv = [sys.executable, "-m", "deploy.runtime.logs.follower", *flags, *limits]
        started.append(subprocess.Popen(argv, stderr=subprocess.PIPE))
        return started[-1]

    yield start_follower
    for process in started:
        process.kill()
        process.communicate()


def unified(logs: Path) -> list[str]:
    return last_lines(logs / "backend-unified.log", 10_000_000)


def append(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def stop(follower: subprocess.Popen[bytes]) -> float:
    """Seconds from SIGTERM to the end."""
    begun = time.perf_counter()
    follower.send_signal(signal.SIGTERM)
    assert follower.wait(60) == 0
    return time.perf_counter() - begun


def burst(path: Path, megabytes: float, max_bytes: int, backups: int) -> int:
    """Write numbered lines as supervisord does: in pieces that end anywhere, through its own handler. How many."""
    name = path.stem
    size = int(megabytes * 1024 * 1024)
    lines = [f"[2026-01-01T00:00:00Z] {name} {number} {'x' * (number % 180)}\n" for number in range(size // 120)]
    data = "".join(lines).encode()
    chance = random.Random(name)
    handler = RotatingFileHandler(str(path), maxBytes=max_bytes, backupCount=backups)
    handler.setFormat("%(message)s")
    logger = Logger(LevelsByName.INFO, [handler])
    begin = 0
    while begin < len(data):
        end = begin + chance.randrange(1, 16_384)
        logger.info(data[begin:end])
        begin = end
    logger.close()
    return len(lines)


def numbers(logs: Path, name: str) -> list[int]:
    prefix = f"{name.ljust(20)} >> [2026-01-01T00:00:00Z] {name} "
    return [int(line[len(prefix) :].split(" ", 1)[0]) for line in unified(logs) if line.startswith(prefix)]


def test_P13_a_20_MB_burst_through_rotation_arrives_exactly_once(logs: Path, start: Start) -> None:
    follower = start(4 << 20, 100)
    names = [f"broker-{index}" for index in range(4)]
    counts: dict[str, int] = {}

    def write(name: str) -> None:
        counts[name] = burst(logs / f"{name}.log", 5, 1 << 20, 5)

    writers = [threading.Thread(target=write, args=(name,)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    stop(follower)
    lines = unified(logs)
    assert len(lines) == sum(counts.values())
    for name in names:
        assert numbers(logs, name) == list(range(counts[name]))
    assert len(list(logs.glob("backend-unified.log.*"))) >= 4


def test_P13_followers_killed_again_and_again_lose_and_repeat_nothing(logs: Path, start: Start) -> None:
    names = ["broker-0", "core-0"]
    counts: dict[str, int] = {}

    def write(name: str) -> None:
        counts[name] = burst(logs / f"{name}.log", 2, 256 << 10, 100)

    writers = [threading.Thread(target=write, args=(name,)) for name in names]
    for writer in writers:
        writer.start()
    chance = random.Random(1)
    for _ in range(4):
        before = _size(logs)
        follower = start(300_000, 100)
        _wait_for_progress(logs, before, writers)
        _wait_for_moment(chance.random() * 0.02)
        follower.kill()
        follower.wait()
    for writer in writers:
        writer.join()
    follower = start(300_000, 100)
    wait_until(lambda: follower.poll() is not None or all(_has(logs, name, counts[name]) for name in names))
    stop(follower)
    for name in names:
        assert numbers(logs, name) == list(range(counts[name]))


def _wait_for_progress(logs: Path, before: int, writers: list[threading.Thread]) -> None:
    wait_until(lambda: _size(logs) > before or not any(writer.is_alive() for writer in writers), what="progress")


def _wait_for_moment(seconds: float) -> None:
    until = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > until, step=0.001)


def _size(logs: Path) -> int:
    return sum(path.stat().st_size for path in logs.glob("backend-unified.log*") if path.exists())


def _has(logs: Path, name: str, count: int) -> bool:
    return any(f" {name} {count - 1} " in line for line in unified(logs)[-5000:])


def test_P13_a_second_follower_is_refused_with_the_first_one_s_pid(logs: Path, start: Start) -> None:
    first = start()
    wait_until(lambda: (logs / "backend-unified.log").exists(), what="the first follower")
    second = start()
    _, message = second.communicate(timeout=60)
    assert second.returncode == 1
    assert f"another follower (pid {first.pid})" in message.decode()


def test_P13_sigterm_reads_to_the_end_and_ends_at_once(logs: Path, start: Start) -> None:
    follower = start()
    append(logs / "core-0.log", "first\n")
    wait_until(lambda: any("first" in line for line in unified(logs)), what="the first line")
    append(logs / "core-0.log", "second\nlast words")
    seconds = stop(follower)
    assert [line[24:] for line in unified(logs)] == ["first", "second", "last words"]
    # 50 ms on an idle machine; the bound is for a busy one.
    assert seconds < 10


def test_P13_an_unreadable_log_is_reported_once_and_the_others_go_on(logs: Path, start: Start) -> None:
    (logs / "broker-0.log").mkdir()
    follower = start()
    for number in range(5):
        append(logs / "core-0.log", f"line {number}\n")
        wait_until(lambda: any(f"line {number}" in line for line in unified(logs)), what="the line")  # noqa: B023
    stop(follower)
    assert follower.stderr is not None
    assert follower.stderr.read().count(b"[ERROR]") == 1


def test_P13_a_disk_that_takes_nothing_at_the_start_is_waited_for(logs: Path, start: Start) -> None:
    append(logs / "core-0.log", "hello\n")
    (logs / "backend-unified.log").mkdir()
    follower = start()
    assert follower.stderr is not None
    assert b"Is a directory" in follower.stderr.readline()
    assert follower.poll() is None
    (logs / "backend-unified.log").rmdir()
    wait_until(lambda: [line[24:] for line in unified(logs)] == ["hello"], what="the line")
    stop(follower)


def test_P13_the_follower_costs_little(logs: Path, start: Start) -> None:
    for index in range(10):
        append(logs / f"broker-{index}.log", "hello\n")
    follower = start()
    wait_until(lambda: len(unified(logs)) == 10, what="the lines")
    process = psutil.Process(follower.pid)
    before, begun = sum(process.cpu_times()[:2]), time.monotonic()
    wait_until(lambda: time.monotonic() - begun > 1.0)
    used = (sum(process.cpu_times()[:2]) - before) / (time.monotonic() - begun)
    assert used < 0.05
    assert process.memory_info().rss < 40 << 20


APPENDER = """
import os, signal, time
def reopen(*_):
    global log
    log = os.open("{log}", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
signal.signal(signal.SIGUSR1, reopen)
reopen()
number = 0
while True:
    os.write(log, b"%d\\n" % number)
    number += 1
    time.sleep(0.0005)
"""


def test_P13_nginx_logs_are_rotated_through_supervisord_and_no_line_is_lost(
    tmp_path: Path, logs: Path, start: Start
) -> None:
    access = logs / "nginx-access.log"
    section = program("nginx", APPENDER.format(log=access), tmp_path)
    with supervised(tmp_path, section, ready=1):
        follower = start(4096, 100, "--socket", str(tmp_path / "supervisor.sock"))
        wait_until(lambda: (logs / "nginx-access.log.1").exists() and access.exists(), what="a rotation")
        stop(follower)
        wait_until(lambda: access.exists() and access.stat().st_size > 0, what="lines in the new file")
        call(tmp_path / "supervisor.sock", "stopProcess", "nginx")
    files = [Path(f"{access}.{number}") for number in range(100, 0, -1)]
    seen = [int(line) for path in [*files, access] if path.exists() for line in path.read_text().splitlines()]
    assert seen == list(range(len(seen)))


def test_P13_cleaning_under_a_running_supervisord_leaves_no_hole(tmp_path: Path) -> None:
    code = "import time\nwhile True: print('y' * 99, flush=True); time.sleep(0.002)"
    section = program("core-0", code, tmp_path, "stdout_logfile_maxbytes=20000\nstdout_logfile_backups=2")
    log = tmp_path / "core-0.log"
    with supervised(tmp_path, section, ready=1):
        wait_until(lambda: Path(f"{log}.1").exists() and log.stat().st_size > 5000, what="a rotation")
        clean(tmp_path, lambda: reopen_logs(tmp_path / "supervisor.sock"))
        wait_until(lambda: log.stat().st_size > 300, what="new lines")
        assert b"\0" not in log.read_bytes()


def test_P13_supervisord_s_refusal_is_passed_on(tmp_path: Path) -> None:
    with supervised(tmp_path, program("core-0", "import time; time.sleep(600)", tmp_path), ready=1):
        with pytest.raises(SupervisorCallError, match="BAD_NAME: no <such> & name") as caught:
            signal_process(tmp_path / "supervisor.sock", "no <such> & name", "USR1")
        assert caught.value.fault == 10
        with pytest.raises(SupervisorCallError, match="UNKNOWN_METHOD"):
            call(tmp_path / "supervisor.sock", "noSuchMethod")


def test_P13_a_stalled_supervisord_costs_a_bounded_time(tmp_path: Path) -> None:
    path = tmp_path / "s.sock"
    with socket.socket(socket.AF_UNIX) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        with pytest.raises(SupervisorCallError, match="does not answer getPID: timed out"):
            call(path, "getPID", timeout=0.1)
    with pytest.raises(SupervisorCallError, match="does not answer"):
        call(path, "getPID")


WAITING = "the tree is not running; waiting for lines (Ctrl-C ends)\n"


@pytest.fixture
def control(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the supervisord of the deployment in `tmp_path` would listen."""
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    path = layouts.layout_for(str(tmp_path / "c.yaml")).socket
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], **chosen: bool) -> str:
    """What `backend-manager logs` says on stderr before it shows the lines, of which there are none."""
    shown: list[bool] = []
    monkeypatch.setattr(view, "show", lambda *_, following, **__: shown.append(following))
    monkeypatch.setattr(command, "chosen", lambda *_, **__: lambda: [tmp_path / "core-0.log"])
    flags = {"clean": False, "nginx": False, "json": False, "follow": True} | chosen
    assert command.run(argparse.Namespace(config=str(tmp_path / "c.yaml"), names=[], lines=1, **flags)) == 0
    assert shown == [flags["follow"]]
    out, err = capsys.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("stale", [False, True])
def test_P13_following_where_nobody_listens_says_so_on_stderr(
    tmp_path: Path,
    control: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
    stale: bool,
) -> None:
    if stale:
        with socket.socket(socket.AF_UNIX) as gone:
            gone.bind(str(control))
    assert _told(tmp_path, monkeypatch, capsys, json=as_json) == WAITING
    assert _told(tmp_path, monkeypatch, capsys, json=as_json, follow=False) == ""


@pytest.mark.parametrize("waiting", [0, 1])
def test_P13_following_under_a_stalled_supervisord_shows_the_lines_at_once(
    tmp_path: Path,
    control: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    waiting: int,
) -> None:
    with socket.socket(socket.AF_UNIX) as deaf, socket.socket(socket.AF_UNIX) as first:
        deaf.bind(str(control))
        deaf.listen(0)
        if waiting:
            first.connect(str(control))  # its queue is full now
        begun = time.monotonic()
        assert _told(tmp_path, monkeypatch, capsys) == ""
        assert time.monotonic() - begun < 8, "it did not wait out the 10 s that a question may take"
