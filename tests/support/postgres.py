"""A PostgreSQL server of the test process's own: started when a test first asks, gone when the process ends."""

import atexit
import itertools
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NoReturn

import psycopg
import pytest
from support.ordinary_user import UID
from support.ports import free_block
from support.waiting import wait_until

INSTALL = "PostgreSQL is not installed; Debian, Ubuntu: apt-get install postgresql; Homebrew: brew install postgresql"
SUPERUSER = "trading"
GUARDED_USER = "guarded"
"""A login that needs a password; everybody else's is believed."""
GUARDED_PASSWORD = "s3cret-%41-word"

_HBA = f"""local all all trust
host all {GUARDED_USER} 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""
# Nothing here has to survive a crash, and two workers may each have a server.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_connections": "60",
    "listen_addresses": "127.0.0.1",
}
# Stops the server and removes its folder when our end of its standard input closes: also when we are killed.
_GUARD = """
cd {folder}
finish() {{ cd /; rm -rf {folder}; }}
if ! {{ {initdb} >log 2>&1 && printf %s {hba} >data/pg_hba.conf; }}; then cat log >&2; finish; exit 1; fi
{postgres} >log 2>&1 </dev/null &
server=$!
cat >/dev/null
kill -INT $server
wait $server
finish
"""


@dataclass(frozen=True)
class PostgresServer:
    """A running server; its databases are made and dropped through its socket."""

    folder: Path
    port: int
    guard: subprocess.Popen[bytes]

    def url(self, database: str, *, user: str = SUPERUSER) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def execute(self, statement: str, *, database: str = "postgres") -> None:
        """Run one statement as the superuser, outside a transaction."""
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())

    def stop(self) -> None:
        assert self.guard.stdin is not None
        self.guard.stdin.close()
        self.guard.wait(timeout=60)


@cache
def postgres_server() -> PostgresServer:
    """The server of this process. Skips the test where PostgreSQL is missing, or fails it if that is not allowed."""
    binaries = _binaries()
    if binaries is None:
        _missing()
    server = _start(binaries)
    atexit.register(server.stop)
    server.execute(f"CREATE ROLE {GUARDED_USER} LOGIN PASSWORD '{GUARDED_PASSWORD}'")
    return server


@contextmanager
def fresh_database(*, template: str = "template1") -> Iterator[str]:
    """The URL of a new database, a copy of `template`; dropped afterwards, whoever is still connected."""
    server = postgres_server()
    name = f"test_{next(_numbers)}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    try:
        yield server.url(name)
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


_numbers = itertools.count()


def _missing() -> NoReturn:
    if os.environ.get("TRADING_REQUIRE_POSTGRES") == "1":
        pytest.fail(f"TRADING_REQUIRE_POSTGRES=1, but {INSTALL}")
    pytest.skip(INSTALL)


def _binaries() -> Path | None:
    """The folder with initdb and postgres: the newest version's where there are several."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: _version(folder.parent.name))
    candidates = [*reversed(found), *_from_path()]
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


def _version(name: str) -> int:
    return int(name) if name.isdecimal() else 0


def _from_path() -> Iterator[Path]:
    if postgres := shutil.which("postgres"):
        yield Path(postgres).resolve().parent
    if pg_config := shutil.which("pg_config"):
        yield Path(subprocess.run([pg_config, "--bindir"], capture_output=True, text=True, check=True).stdout.strip())


def _start(binaries: Path) -> PostgresServer:
    folder, port = Path(tempfile.mkdtemp(prefix="pg-")), free_block(1)
    os.chown(folder, UID, -1)
    server = PostgresServer(folder, port, _serve(folder, _initdb(binaries, folder), _postgres(binaries, folder, port)))
    wait_until(lambda: _answers(server), timeout=60, what="PostgreSQL to answer")
    return server


def _initdb(binaries: Path, folder: Path) -> str:
    flags = ["-U", SUPERUSER, "-E", "UTF8", "--no-locale", "--no-sync", "-A", "trust"]
    return shlex.join([str(binaries / "initdb"), "-D", str(folder / "data"), *flags])


def _postgres(binaries: Path, folder: Path, port: int) -> str:
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
    return shlex.join([str(binaries / "postgres"), "-D", str(folder / "data"), *flags])


def _serve(folder: Path, initdb: str, postgres: str) -> subprocess.Popen[bytes]:
    """Run the guard; it writes what the programs say to the folder's `log`."""
    script = _GUARD.format(folder=shlex.quote(str(folder)), hba=shlex.quote(_HBA), initdb=initdb, postgres=postgres)
    user = {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 else {}
    # A session of its own: Ctrl-C is for the tests.
    return subprocess.Popen(["sh", "-c", script], stdin=subprocess.PIPE, start_new_session=True, cwd="/", **user)  # type: ignore[call-overload, no-any-return] # mypy cannot see through **user


def _answers(server: PostgresServer) -> bool:
    if server.guard.poll() is not None:
        raise AssertionError("PostgreSQL did not start")
    try:
        psycopg.connect(server.url("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
