"""Up, down and what lies between, on real processes."""

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


def test_P06_up_again_restarts_nothing(project: Project) -> None:
    project.up()
    before = project.pids()
    again = project.up()
    assert project.pids() == before
    assert (again["started"], again["restarted"], again["stopped"]) == ([], [], [])
