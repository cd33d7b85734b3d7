"""The tree without any rights (P14), and folders that belong to somebody else."""

import json
import os
from collections.abc import Iterator

import pytest
from support.ordinary_user import UID, project_of_user, run_as_user, run_module_as_user
from support.project import Project


@pytest.fixture
def theirs() -> Iterator[Project]:
    """A project of an ordinary user."""
    with project_of_user() as project:
        yield project


def test_P14_an_ordinary_user_runs_the_whole_tree(theirs: Project) -> None:
    up = run_as_user(theirs, "start", "--json")
    assert up.returncode == 0, up.stdout + up.stderr
    assert theirs.get("/api/v1/broker/health").status_code == 200
    assert {process.uids().effective for process in theirs.processes()} == {UID}
    status = run_as_user(theirs, "status", "--json")
    assert status.returncode == 0
    assert json.loads(status.stdout)["healthy"]
    control = run_module_as_user(theirs, "supervisor.supervisorctl", "restart", "broker:*")
    assert "broker:broker-0: started" in control.stdout
    down = run_as_user(theirs, "stop")
    assert down.returncode == 0, down.stderr
    theirs.assert_gone()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize("mode", [0o700, pytest.param(0o755, marks=pytest.mark.long)])
def test_P04_a_local_folder_of_somebody_else_is_an_error_with_its_path_and_advice(theirs: Project, mode: int) -> None:
    theirs.local.mkdir()
    (theirs.local / "run").mkdir()
    theirs.local.chmod(mode)
    done = run_as_user(theirs, "start")
    assert done.returncode == 1
    assert str(theirs.local) in done.stderr
    assert "Traceback" not in done.stderr
    theirs.assert_gone()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize("verb", ["status", "stop", "logs", "plan", "restart"])
def test_P12_no_verb_answers_a_closed_local_folder_with_a_traceback(theirs: Project, verb: str) -> None:
    (theirs.local / "run").mkdir(parents=True)
    theirs.local.chmod(0o700)
    done = run_as_user(theirs, verb)
    assert done.returncode in (1, 3), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert str(theirs.local) in done.stderr + done.stdout or done.returncode == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="root writes everywhere; the user must not be us")
def test_P04_a_project_folder_that_cannot_be_written_is_an_error(theirs: Project) -> None:
    os.chown(theirs.folder, 0, -1)
    theirs.folder.chmod(0o755)
    done = run_as_user(theirs, "start")
    assert done.returncode == 1
    assert f"{theirs.local}: cannot be created" in done.stderr
    assert not theirs.local.exists()
