"""P13: the unified file holds every line once, over errors, restarts and its own rotation."""

import errno
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.fake_clock import FakeClock

from deploy.runtime.logs import positions
from deploy.runtime.logs.chain import rotate
from deploy.runtime.logs.merger import Merger, prefix_of, prefixed
from deploy.runtime.logs.nginx_rotation import NginxRotation
from deploy.runtime.logs.unified import UnifiedLock, UnifiedLog

Make = Callable[..., Merger]


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    return folder


@pytest.fixture
def merger_of(tmp_path: Path, logs: Path) -> Iterator[Make]:
    made: list[Merger] = []

    def make(max_bytes: int = 0, backups: int = 5) -> Merger:
        made.append(Merger(logs, tmp_path / "logs.json", max_bytes, backups))
        return made[-1]

    yield make
    for merger in made:
        merger.close()


def append(path: Path, text: bytes) -> None:
    with path.open("ab") as file:
        file.write(text)


def drain(merger: Merger) -> None:
    while merger.step():
        continue


def unified(logs: Path) -> list[str]:
    numbers = range(100, -1, -1)
    files = [logs / ("backend-unified.log" + (f".{number}" if number else "")) for number in numbers]
    return [line for path in files if path.exists() for line in path.read_text(encoding="utf-8").splitlines()]


def test_P13_a_full_disk_loses_and_repeats_nothing(
    logs: Path, merger_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(logs / "core-0.log", b"before\n")
    merger = merger_of()
    drain(merger)
    append(logs / "core-0.log", b"during\n")
    real = os.write

    def full(fd: int, data: bytes) -> int:
        real(fd, bytes(data)[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for _ in range(3):
            with pytest.raises(OSError, match="No space left"):
                merger.step()
            merger.recover()
    append(logs / "core-0.log", b"after\n")
    drain(merger)
    assert [line[24:] for line in unified(logs)] == ["before", "during", "after"]


@pytest.mark.parametrize("max_bytes", [0, 40])
def test_P13_a_state_that_cannot_be_saved_loses_and_repeats_nothing(
    logs: Path, merger_of: Make, monkeypatch: pytest.MonkeyPatch, max_bytes: int
) -> None:
    merger = merger_of(max_bytes=max_bytes, backups=50)
    real = positions.save
    calls = 0

    def sometimes(path: Path, state: positions.State) -> None:
        nonlocal calls
        calls += 1
        if calls % 2:
            raise OSError(errno.ENOSPC, "No space left")
        real(path, state)

    monkeypatch.setattr(positions, "save", sometimes)
    for number in range(20):
        append(logs / "core-0.log", b"line %d\n" % number)
        try:
            merger.step()
        except OSError:
            merger.recover()
    monkeypatch.setattr(positions, "save", real)
    drain(merger)
    assert [line[24:] for line in unified(logs)] == [f"line {number}" for number in range(20)]


def test_P13_a_killed_follower_repeats_nothing(logs: Path, merger_of: Make, tmp_path: Path) -> None:
    append(logs / "core-0.log", b"one\ntwo\n")
    first = merger_of()
    drain(first)
    state = (tmp_path / "logs.json").read_bytes()
    append(logs / "core-0.log", b"three\n")
    drain(first)
    # As if it had been killed between writing and committing.
    (tmp_path / "logs.json").write_bytes(state)
    drain(merger_of())
    assert [line[24:] for line in unified(logs)] == ["one", "two", "three"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"version": 2}', b'{"version": 1, "positions": 3, "unified": 1}']
)
def test_P13_a_broken_state_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "logs.json"
    path.write_bytes(content)
    assert positions.load(path) is None


def test_P13_the_state_is_private_and_names_no_file_outside(logs: Path, merger_of: Make, tmp_path: Path) -> None:
    append(logs / "core-0.log", b"one\n")
    drain(merger_of())
    path = tmp_path / "logs.json"
    assert path.stat().st_mode & 0o777 == 0o600
    document = json.loads(path.read_text())
    append(tmp_path / "secret.log", b"secret\n")
    document["positions"]["../secret.log"] = document["positions"]["core-0.log"] | {"offset": 0, "check": 0}
    path.write_text(json.dumps(document))
    drain(merger_of())
    assert not any("secret" in line for line in unified(logs))


def test_P13_an_unreadable_log_does_not_stop_the_others(logs: Path, merger_of: Make) -> None:
    (logs / "broker-0.log").mkdir()
    append(logs / "core-0.log", b"one\n")
    merger = merger_of()
    drain(merger)
    assert [line[24:] for line in unified(logs)] == ["one"]
    assert isinstance(merger.unreadable, IsADirectoryError)


def test_P13_names_are_padded_to_20_columns(logs: Path, merger_of: Make) -> None:
    append(logs / "broker-0.log", b"[now] [INFO] app: started\nTraceback\n")
    drain(merger_of())
    assert unified(logs) == [
        "broker-0             >> [now] [INFO] app: started",
        "broker-0             >> Traceback",
    ]


def test_P13_invalid_utf8_becomes_valid() -> None:
    assert prefixed(b"a\xffb\n", prefix_of("core-0")).decode() == "core-0               >> a�b\n"


def test_P13_the_servers_and_supervisord_are_merged_and_nginx_is_not(logs: Path, merger_of: Make) -> None:
    for name in ("core-0", "broker-1", "supervisord", "nginx-access", "nginx-error", "backend-unified"):
        append(logs / f"{name}.log", f"of {name}\n".encode())
    append(logs / "notes.txt", b"not a log\n")
    drain(merger_of())
    merged = {line.split(" >> ")[1] for line in unified(logs) if " >> " in line}
    assert merged == {"of core-0", "of broker-1", "of supervisord"}


def test_P13_a_new_instance_is_picked_up(logs: Path, merger_of: Make) -> None:
    merger = merger_of()
    drain(merger)
    append(logs / "broker-7.log", b"hello\n")
    drain(merger)
    assert unified(logs) == ["broker-7             >> hello"]


def test_P13_the_unified_file_rotates_by_the_same_limits(logs: Path, merger_of: Make) -> None:
    merger = merger_of(max_bytes=8192, backups=3)
    for number in range(2000):
        append(logs / "core-0.log", b"line %04d of a good length\n" % number)
        if not number % 50:
            drain(merger)
    drain(merger)
    sizes = {path.name: path.stat().st_size for path in logs.glob("backend-unified*")}
    assert sorted(sizes) == ["backend-unified.log", *(f"backend-unified.log.{number}" for number in (1, 2, 3))]
    assert max(sizes.values()) < 8192 + 2 * 4096 * 2
    tail = [line[24:] for line in unified(logs)]
    assert tail == [f"line {number:04d} of a good length" for number in range(2000 - len(tail), 2000)]


def test_P13_an_unfinished_line_is_written_at_shutdown(logs: Path, merger_of: Make) -> None:
    append(logs / "core-0.log", b"one\nlast words")
    merger = merger_of()
    merger.finish(time.monotonic() + 5)
    assert [line[24:] for line in unified(logs)] == ["one", "last words"]


def test_P13_a_unified_file_that_somebody_removed_is_begun_anew(logs: Path, merger_of: Make) -> None:
    append(logs / "core-0.log", b"one\n")
    merger = merger_of()
    drain(merger)
    (logs / "backend-unified.log").unlink()
    append(logs / "core-0.log", b"two\n")
    drain(merger)
    append(logs / "core-0.log", b"three\n")
    drain(merger)
    assert [line[24:] for line in unified(logs)] == ["three"]


def test_P13_only_one_follower_holds_the_lock(logs: Path) -> None:
    first, second = UnifiedLock(logs / "backend-unified.log"), UnifiedLock(logs / "backend-unified.log")
    assert first.acquire()
    assert not second.acquire()
    assert f"pid {os.getpid()}" in str(second.held())
    first.close()
    assert second.acquire()
    second.close()


def test_P14_the_unified_file_is_private(logs: Path) -> None:
    UnifiedLog(logs / "backend-unified.log", 0, 0).close()
    assert (logs / "backend-unified.log").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("backups", [0, 1, 3])
def test_P13_rotation_keeps_exactly_the_backups_asked_for(logs: Path, backups: int) -> None:
    path = logs / "x.log"
    for number in range(6):
        append(path, b"%d" % number)
        rotate(path, backups)
    kept = [(logs / f"x.log.{number}").read_bytes() for number in range(1, backups + 1)]
    assert kept == [b"%d" % number for number in range(5, 5 - backups, -1)]
    assert not (logs / f"x.log.{backups + 1}").exists()


class Nginx:
    """Reopens its access log when told to; fails while `broken`."""

    def __init__(self, logs: Path) -> None:
        self.path = logs / "nginx-access.log"
        self.calls = 0
        self.broken = False

    def reopen(self) -> None:
        self.calls += 1
        if self.broken:
            raise OSError("no answer")
        self.path.touch()


def test_P13_nginx_is_asked_again_until_it_has_reopened_and_nothing_is_rotated_twice(logs: Path) -> None:
    clock, nginx = FakeClock(), Nginx(logs)
    rotation = NginxRotation(logs, 100, 2, nginx.reopen, clock)
    append(nginx.path, b"x" * 100)
    nginx.broken = True
    with pytest.raises(OSError, match="no answer"):
        rotation.check()
    rotation.check()
    assert nginx.calls == 1
    nginx.broken = False
    clock.now += 10
    rotation.check()
    assert nginx.calls == 2
    clock.now += 10
    rotation.check()
    assert nginx.calls == 2
    assert (logs / "nginx-access.log.1").read_bytes() == b"x" * 100
    assert not (logs / "nginx-access.log.2").exists()


def test_P13_a_rotation_that_a_killed_follower_left_half_done_is_completed(logs: Path) -> None:
    nginx = Nginx(logs)
    append(logs / "nginx-access.log.1", b"still written to")
    NginxRotation(logs, 100, 2, nginx.reopen, FakeClock()).check()
    assert nginx.calls == 1


def test_P13_small_nginx_logs_are_left_alone(logs: Path) -> None:
    nginx = Nginx(logs)
    append(nginx.path, b"x" * 99)
    NginxRotation(logs, 100, 2, nginx.reopen, FakeClock()).check()
    assert nginx.calls == 0
    assert nginx.path.stat().st_size == 99
