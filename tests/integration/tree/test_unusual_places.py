"""Folders with names that break shell scripts, paths that no socket can have, and files of the user's own."""

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.project import Project, project_in
from support.tree_socket import socket_of

NAME = "a b;c #d %e %(here)s 'f' \"g\" $HOME ${X} {h} \\ äß 漢"


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[Project]:
    """A deployment in a folder of that name."""
    with project_in(tmp_path / NAME) as made:
        made.write()
        yield made


def test_P02_a_path_with_every_unusual_character_works_throughout(odd: Project) -> None:
    assert odd.up()["healthy"]
    assert odd.get("/api/v1/datafeed/health").status_code == 200
    plain = odd.supervisorctl("status")
    assert plain.returncode == 0, plain.stdout + plain.stderr
    assert plain.stdout.count("RUNNING") == 5
    assert odd.run("status", check=0).stdout.count("healthy") == 4
    assert "serving broker v1" in odd.run("logs", "broker", check=0).stdout
    assert odd.run("plan", check=0).stdout.count("leave") == 5
    assert "serving core v1" in odd.supervisorctl("tail", "core:core-0").stdout
    assert sorted(entry.name for entry in odd.folder.iterdir()) == [".local", "dev-config.yaml", "supervisord.conf"]
    odd.down()
    odd.assert_gone()


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Project]:
    """A deployment whose path is much longer than any socket's may be."""
    with project_in(tmp_path / ("d" * 100) / ("e" * 100)) as made:
        made.write({"nginx": {"port": made.port}, "servers": {"core": {"port": made.port + 7}}})
        yield made


@pytest.mark.parametrize("with_runtime_dir", [False, True], ids=["temp folder", "XDG_RUNTIME_DIR"])
@pytest.mark.long
def test_P14_a_long_path_puts_the_socket_into_a_short_private_folder(
    far: Project, tmp_path_factory: pytest.TempPathFactory, with_runtime_dir: bool
) -> None:
    root = tmp_path_factory.mktemp("x")
    far.environment |= (
        {"XDG_RUNTIME_DIR": str(root)} if with_runtime_dir else {"XDG_RUNTIME_DIR": "", "TMPDIR": str(root)}
    )
    far.up()
    (folder,) = root.iterdir()
    assert folder.name.startswith(f"backend-{os.getuid()}-")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "supervisor.sock").is_socket()
    # Later commands may come from a login with another runtime folder, or from none.
    far.environment |= {"XDG_RUNTIME_DIR": str(tmp_path_factory.mktemp("other"))}
    assert far.supervisorctl("status").returncode == 0
    assert far.run("status").returncode == 0
    far.down()
    far.assert_gone()
    assert list(root.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_P14_a_short_folder_of_another_user_is_refused(far: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    root = tmp_path_factory.mktemp("x")
    far.environment |= {"XDG_RUNTIME_DIR": str(root)}
    trap = root / f"backend-{os.getuid()}-{_digest(far)}"
    trap.mkdir()
    os.chown(trap, 65534, -1)
    done = far.run("start", check=1)
    assert str(trap) in done.stderr
    assert list(trap.iterdir()) == []
    far.assert_gone()


def test_P14_an_up_that_is_refused_leaves_no_short_folder(
    far: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("x")
    far.environment |= {"XDG_RUNTIME_DIR": str(root)}
    with socket.create_server(("127.0.0.1", far.port)):
        assert "is held by" in far.run("start", check=1).stderr
    assert list(root.iterdir()) == []


def _digest(project: Project) -> str:
    return socket_of(project).parent.name.rpartition("-")[2]


@pytest.mark.long
def test_C07_another_configuration_in_another_folder_is_another_tree(small: Project, tmp_path: Path) -> None:
    with project_in(tmp_path / "q") as other:
        other.write({"nginx": {"port": other.port}, "servers": {"core": {"port": other.port + 7}}})
        small.run("start", str(other.config), check=0)
        assert small.run("status").returncode == 3
        assert other.run("status").returncode == 0
        assert small.run("status", str(other.config)).returncode == 0
        small.run("stop", check=0)
        assert other.run("status").returncode == 0
        small.run("stop", str(other.config), check=0)
        other.assert_gone()


@pytest.mark.long
def test_P08_removing_local_while_nothing_runs_is_safe(small: Project) -> None:
    small.up()
    small.down()
    shutil.rmtree(small.local)
    assert small.up()["fresh"]
