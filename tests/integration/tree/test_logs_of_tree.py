"""Logs of a running tree: rotated by supervisord, merged, cleaned, and not a line lost (P13)."""

import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.probe_module import probe_config
from support.project import Project, project_in
from support.waiting import wait_until

COUNT = 3000
_LINE = re.compile(r"line (\d{6}) x{200}")


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory, probe_path: Path) -> Iterator[Project]:
    """A tree whose files are rotated at the least size there is, so that some lines fill one."""
    with project_in(tmp_path_factory.mktemp("logs") / "p") as project:
        project.environment["PYTHONPATH"] = str(probe_path)
        project.write(probe_config(project, logs={"max_bytes": "64KB", "backups": 60}))
        project.up()
        yield project


def _whole(project: Project, name: str) -> str:
    """The text of a log and all its backups, oldest first; empty while they are being renamed."""
    live = project.local / "logs" / f"{name}.log"
    numbers = sorted((int(path.suffix[1:]) for path in live.parent.glob(f"{name}.log.*")), reverse=True)
    with suppress(FileNotFoundError):
        return "".join(path.read_text() for path in [*(Path(f"{live}.{number}") for number in numbers), live])
    return ""


def _numbers(project: Project, name: str) -> list[int]:
    return [int(number) for number in _LINE.findall(_whole(project, name))]


def test_P13_no_line_is_lost_or_repeated_across_rotation(tree: Project) -> None:
    for first in range(0, COUNT, 500):
        assert tree.get(f"/api/v1/probe/lines?first={first}&count=500").status_code == 200
    everything = list(range(COUNT))
    wait_until(lambda: len(_numbers(tree, "probe-0")) >= COUNT, what="supervisord to have written every line")
    assert _numbers(tree, "probe-0") == everything
    wait_until(lambda: len(_numbers(tree, "backend-unified")) >= COUNT, what="every line in the unified log")
    assert _numbers(tree, "backend-unified") == everything
    assert len(list((tree.local / "logs").glob("probe-0.log.*"))) > 5
    # supervisord rotates after a write, and one write is what it read at once: 128 KB at most.
    largest = max(path.stat().st_size for path in (tree.local / "logs").glob("probe-0.log*"))
    assert largest <= (64 + 128) * 1024


def test_P13_clean_empties_every_log_and_what_follows_is_written_from_the_start(tree: Project) -> None:
    assert tree.get("/api/v1/probe/lines?first=0&count=1").status_code == 200
    wait_until(lambda: tree.log("probe-0"), what="something to clean")
    before = {path.name for path in (tree.local / "logs").glob("*.log")}
    done = tree.run("logs", "--clean", check=0)
    assert done.stdout.startswith("emptied ")
    assert tree.log("probe-0") == ""
    assert {path.name for path in (tree.local / "logs").glob("*.log")} == before
    assert tree.get("/api/v1/probe/lines?first=7&count=1").status_code == 200
    wait_until(lambda: "line 000007" in tree.log("probe-0"), what="the line after cleaning")
    assert tree.log("probe-0").startswith("[")
    wait_until(lambda: "line 000007" in tree.log("backend-unified"), what="the line in the unified log")
    assert "\0" not in tree.log("backend-unified")


def test_P13_the_access_log_names_the_request_as_the_application_does(tree: Project) -> None:
    answer = tree.get("/api/v1/probe/lines?first=9&count=1")
    request_id = answer.headers["x-request-id"]
    wait_until(lambda: request_id in tree.log("nginx-access"), what="the request id in nginx's log")
    wait_until(lambda: request_id in tree.log("probe-0"), what="the request id in the application's log")


@pytest.mark.long
def test_P13_without_the_unified_log_the_tree_is_as_well(small: Project) -> None:
    small.write(small.config.read_text() + "logs: {unified: false}\n")
    assert small.up()["healthy"]
    assert not (small.local / "logs" / "backend-unified.log").exists()
    assert small.run("logs", check=0).stdout
    assert small.process("logs")["state"] == "RUNNING"
