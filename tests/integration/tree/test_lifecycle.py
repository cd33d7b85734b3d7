"""Up, down and what lies between, on real processes."""

import signal

import pytest
from support.project import Project


def test_P03_up_ends_with_every_module_answering_through_the_gateway(project: Project) -> None:
    answer = project.up()
    assert answer["ok"]
    assert answer["healthy"]
    for module in ("core", "broker", "datafeed"):
        health = project.get(f"/api/v1/{module}/health")
        assert health.status_code == 200
        assert health.json()["module_name"] == module


def test_P05_down_leaves_no_process_and_no_port(project: Project) -> None:
    project.up()
    assert len(project.listening()) == 4
    project.down()
    project.assert_gone()


@pytest.mark.long
def test_P06_up_again_restarts_nothing(project: Project) -> None:
    project.up()
    before = project.pids()
    again = project.up()
    assert project.pids() == before
    assert (again["started"], again["restarted"], again["stopped"]) == ([], [], [])


def test_P13_following_the_logs_of_a_tree_that_is_down_says_so(project: Project) -> None:
    with project.popen("logs", "--follow") as following:
        assert following.stderr is not None
        told = following.stderr.readline()
        following.send_signal(signal.SIGINT)
        # 130 where Ctrl-C comes before the first look at the logs.
        assert following.wait(timeout=60) in (0, 130)
    assert told == "the tree is not running; waiting for lines (Ctrl-C ends)\n"
