"""`python -m trading_api migrate` as a program."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from support.ordinary_user import project_of_user, run_module_as_user
from support.store_old import make_old_store, rows_of

from trading_api.shared.store.address import store_urls
from trading_api.shared.store.migrations import migrate, revision_at

pytestmark = pytest.mark.integration
NOTE = "made trading.orders.db: there was none beside trading.db; if there should be, restore it"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "trading.db"


def run(*arguments: str, path: Path | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    store = {"TRADING_STORE_URL": f"sqlite:///{path}"} if path else {}
    argv = [sys.executable, "-P", "-m", "trading_api", "migrate", *arguments]
    return subprocess.run(
        argv, capture_output=True, text=True, timeout=60, env={**os.environ, **store, **environment}, check=False
    )


def orders_of(path: Path) -> Path:
    """Where the orders of the store at `path` are."""
    return path.with_name(f"{path.stem}.orders{path.suffix}")


def both(path: Path, text: str) -> str:
    """What is told of the two files of a store when it is the same."""
    return f"{orders_of(path)}: {text}\n{path}: {text}\n"


def test_D02_migrate_makes_a_store_and_then_finds_it(path: Path) -> None:
    made, found = run(path=path), run(path=path)
    assert (made.returncode, made.stdout) == (0, both(path, "the store is made (0003)"))
    assert (found.returncode, found.stdout) == (0, both(path, "the store is up to date (0003)"))
    assert made.stderr == found.stderr == ""


def test_D02_migrate_says_from_where_to_where(path: Path) -> None:
    rows = make_old_store(path)
    behind = run("--check", path=path)
    assert behind.returncode == 1
    assert f"{orders_of(path)}: there is no store yet; python -m trading_api migrate makes it" in behind.stdout
    assert f"{path}: the store is at 0001, behind 0003; run: python -m trading_api migrate" in behind.stdout
    assert (rows_of(path), orders_of(path).exists()) == (rows, False)
    done = run(path=path)
    told = f"{orders_of(path)}: the store is made (0003)\n{path}: the store went from 0001 to 0003\n{NOTE}\n"
    assert (done.returncode, done.stdout) == (0, told)
    assert run("--check", path=path).returncode == 0


def test_D02_migrate_tells_of_orders_that_were_not_restored_beside_their_store(path: Path) -> None:
    run(path=path)
    for file in path.parent.glob("trading.orders.db*"):
        file.unlink()
    assert "notes" not in json.loads(run("--check", "--json", path=path).stdout), "nothing was made yet"
    done = run("--json", path=path)
    assert (done.returncode, json.loads(done.stdout)["notes"]) == (0, [NOTE])
    assert "notes" not in json.loads(run("--json", path=path).stdout), "it is told once"


def test_D02_migrate_answers_in_json(path: Path) -> None:
    missing, made = run("--check", "--json", path=path), run("--json", path=path)
    assert (missing.returncode, made.returncode) == (1, 0)
    for answer, revision in ((missing, None), (made, "0003")):
        stores = [{"store": str(file), "from": None, "to": revision} for file in (orders_of(path), path)]
        assert json.loads(answer.stdout) == {"up_to_date": revision is not None, "stores": stores}
    wrong = run("--json", "--store", "mysql://u:hunter2@h/d")
    assert (wrong.returncode, "hunter2" in wrong.stdout + wrong.stderr) == (2, False)
    assert "scheme 'mysql' is not supported" in json.loads(wrong.stdout)["error"]


def test_D04_migrate_touches_nothing_when_one_file_is_of_no_use(path: Path) -> None:
    rows = make_old_store(path)
    orders_of(path).write_bytes(b"no database" * 200)
    answer = run(path=path)
    assert (answer.returncode, answer.stdout) == (1, "")
    assert f"{orders_of(path)}: file is not a database" in answer.stderr
    assert (rows_of(path), run("--check", "--json", path=path).returncode) == (rows, 1)
    assert revision_at(f"sqlite:///{path}") == "0001"


def test_D04_migrate_tells_which_file_it_changed_before_another_failed(path: Path) -> None:
    make_old_store(path)
    lock = _locked_after_looking(path)
    answer = run("--json", path=path, PYTHONPATH=str(lock.parent))
    assert answer.returncode == 1, answer
    told = json.loads(answer.stdout)
    assert told["changed"] == [str(orders_of(path))]
    assert told["error"].startswith(f"{path}: database is locked: another process is writing to it; try again")
    assert told["error"].endswith(f"; before that: {orders_of(path)}: the store is made (0003)")


def _locked_after_looking(path: Path) -> Path:
    """A start-up file of Python that gives migrations no patience, and a lock on `path` when the orders are made."""
    site = path.parent.parent / "site" / "sitecustomize.py"
    site.parent.mkdir()
    site.write_text(
        "import sqlite3\n"
        "from trading_api.shared.store import migrations\n"
        "migrations._PATIENCE_S, migrate_engine, kept = 0, migrations.migrate_engine, []\n"
        "def lock_after(engine):\n"
        "    report = migrate_engine(engine)\n"
        f"    kept.append(sqlite3.connect({str(path)!r}, isolation_level=None))\n"
        "    kept[-1].execute('BEGIN IMMEDIATE')\n"
        "    return report\n"
        "migrations.migrate_engine = lock_after\n"
    )
    return site


@pytest.mark.parametrize("arguments", [["--no-such"], ["extra"], ["--store", "trading.db"]])
def test_D02_migrate_refuses_wrong_usage(arguments: list[str]) -> None:
    answer = run(*arguments)
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "python -m trading_api migrate: error:" in answer.stderr


def test_D02_migrate_tells_what_stood_in_its_way(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"no database" * 200)
    answer = run(path=path)
    assert answer.returncode == 1
    assert answer.stderr == (
        f"python -m trading_api migrate: {path}: file is not a database: "
        "choose another file, or restore this one from a backup\n"
    )


def test_D02_migrate_leaves_the_old_store_when_the_disk_is_full(path: Path) -> None:
    rows = make_old_store(path)
    size = path.stat().st_size
    argv = [sys.executable, "-P", "-m", "trading_api", "migrate", "--store", f"sqlite:///{path}"]
    # A file may not grow beyond this, which stands for a disk without room.
    limit = size // 2
    answer = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    assert answer.returncode == 1, answer
    assert "ulimit -f" in answer.stderr or "the disk is full" in answer.stderr
    assert rows_of(path) == rows
    assert migrate(f"sqlite:///{path}").before == "0001"
    assert rows_of(path) == rows


def test_D02_migrate_tells_of_files_that_it_may_not_write() -> None:
    with project_of_user() as project:
        path = project.folder / "data" / "trading.db"
        make_old_store(path)
        path.chmod(0o444)
        path.parent.chmod(0o555)
        refused = run_module_as_user(project, "trading_api", "migrate", "--store", f"sqlite:///{path}")
        assert refused.returncode == 1, refused
        assert "check the permissions of the file and its folder" in refused.stderr
        made = run_module_as_user(project, "trading_api", "migrate", "--store", f"sqlite:///{path.parent}/new/x.db")
        assert (made.returncode, "Permission denied" in made.stderr) == (1, True)
        path.parent.chmod(0o755)


def test_D02_a_store_that_is_up_to_date_costs_next_to_nothing(path: Path) -> None:
    for url in store_urls(f"sqlite:///{path}"):
        migrate(url)
    answer = run(path=path, PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in answer.stderr.splitlines()}
    assert "sqlite3" in imported
    assert not imported & {"sqlalchemy", "alembic", "psycopg", "pydantic", "fastapi"}


def test_D02_a_sqlite_store_loads_no_driver_of_postgresql() -> None:
    script = (
        "import sys; from trading_api.shared.store.engine import open_engine, reading\n"
        "with reading(open_engine('sqlite:///nowhere/x.db')) as connection: assert connection is None\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'psycopg', 'alembic'})"
    )
    answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout == "set()\n"
