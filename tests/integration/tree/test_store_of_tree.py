"""D02: `up` and `dev` bring the store to what the servers need before any of them starts, or start nothing."""

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from support.gateway_topology import one_process
from support.project import Project

from trading_api.shared.store.revision import HEAD

TABLES = {"instruments", "series", "bars", "leases", "broker_orders", "broker_events"}


def _tables(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as store:
        return {name for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def _store(project: Project) -> Path:
    return project.local / "data" / "trading.db"


def _orders(project: Project) -> Path:
    return project.local / "data" / "trading.orders.db"


def _set_revision(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as store, store:
        assert store.execute("UPDATE alembic_version SET version_num = ?", (revision,)).rowcount == 1


def test_D02_the_store_is_there_before_the_first_server(small: Project) -> None:
    small.up()
    for file in (_store(small), _orders(small)):
        assert _tables(file) >= TABLES
        assert file.stat().st_mode & 0o077 == 0


def test_D02_a_newer_store_is_refused_and_nothing_starts(small: Project) -> None:
    small.up()
    small.down()
    for file in (_store(small), _orders(small)):
        _set_revision(file, "9999")
        error = json.loads(small.run("start", "--json", check=1).stdout)["error"]
        assert f"{file.name}: schema version 9999 is newer than" in error
        assert "nothing was started or changed" in error
        _set_revision(file, HEAD)
    small.assert_gone()
    assert small.run("status").returncode == 3


@pytest.mark.long
def test_D02_a_newer_store_keeps_a_running_tree_as_it_is(small: Project) -> None:
    small.up()
    before = small.pids()
    _set_revision(_store(small), "9999")
    for verb in ("start", "restart"):
        assert "9999 is newer than" in small.run(verb, check=1).stderr
    assert small.pids() == before
    assert small.run("status").returncode == 0


def test_D02_a_store_that_cannot_be_made_starts_nothing(small: Project) -> None:
    small.write({**_config(small), "store": {"url": "sqlite:////proc/nowhere/trading.db"}})
    done = small.run("start", check=1)
    assert "/proc/nowhere" in done.stderr
    assert "nothing was started or changed" in done.stderr
    small.assert_gone()


def test_D02_the_password_of_a_store_shows_nowhere(small: Project) -> None:
    url = "postgresql://trader:hunter2secret@127.0.0.1:1/trading"
    small.write({**_config(small), "store": {"url": url}})
    for verb in ("start", "plan", "status", "restart"):
        done = small.run(verb)
        assert "hunter2secret" not in done.stdout + done.stderr
    assert "127.0.0.1:1/trading" in small.run("start", check=1).stderr
    small.assert_gone()


@pytest.mark.long
def test_D02_a_relative_file_is_beside_the_configuration_wherever_the_command_runs(
    small: Project, tmp_path: Path
) -> None:
    small.write({**_config(small), "store": {"url": "sqlite:///own/place.db"}})
    argv = [sys.executable, "-P", "-m", "deploy.cli", "start", str(small.config)]
    done = subprocess.run(argv, cwd=tmp_path, env=small.env(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for name in ("place.db", "place.orders.db"):
        assert _tables(small.folder / "own" / name) >= TABLES
    assert not _store(small).exists()
    assert not _orders(small).exists()


@pytest.mark.long
def test_D02_the_configuration_decides_and_not_the_shell(small: Project) -> None:
    small.environment["TRADING_STORE_URL"] = "sqlite:///from-the-shell.db"
    small.up()
    assert not (small.folder / "from-the-shell.db").exists()
    small.write({**_config(small), "store": {"url": "${TRADING_STORE_URL:-sqlite:///other.db}"}})
    small.up()
    assert _tables(small.folder / "from-the-shell.db") >= TABLES


@pytest.mark.long
def test_M01_one_process_brings_the_store_up_to_date_too(project: Project) -> None:
    with one_process(project):
        assert _tables(_store(project)) >= TABLES
        assert _tables(_orders(project)) >= TABLES


def test_P07_a_busy_port_leaves_no_store_behind(small: Project) -> None:
    import socket

    with socket.create_server(("127.0.0.1", small.port + 7)):
        assert "is held by" in small.run("start", check=1).stderr
    assert not _store(small).exists()
    assert not _orders(small).exists()


@pytest.mark.parametrize("verb", ["plan", "status"])
def test_P12_looking_makes_no_store(small: Project, verb: str) -> None:
    small.run(verb)
    assert not _store(small).exists()
    assert not _orders(small).exists()


def _config(project: Project) -> dict[str, object]:
    return {"nginx": {"port": project.port}, "servers": {"core": {"port": project.port + 7}}}
