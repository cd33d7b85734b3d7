"""N07: gen-nginx-conf and gen-supervisor-conf: to standard output or a file, checked, and the same every time."""

import os
import subprocess
from pathlib import Path

import pytest
from support.fake_nginx import fake_nginx
from support.ordinary_user import project_of_user, run_as_user
from support.project import ROOT, Project

pytestmark = pytest.mark.integration

VERBS = ("gen-nginx-conf", "gen-supervisor-conf")
REFUSES = '[ "$1" != -t ] || { echo "[emerg] nothing pleases me" >&2; exit 1; }'


def leftovers(folder: Path) -> list[str]:
    """Temporary files that a writer forgot."""
    return [path.name for path in folder.rglob(".*") if path.is_file()]


@pytest.mark.parametrize("verb", VERBS)
def test_N07_twice_is_byte_identical_on_standard_output_and_in_a_file(project: Project, verb: str) -> None:
    first = project.run(verb, check=0).stdout
    assert " GENERATED from " in first.splitlines()[0]
    assert project.run(verb, check=0).stdout == first
    target = project.folder / "out.conf"
    assert "written" in project.run(verb, "-o", "out.conf", check=0).stderr
    assert target.read_text(encoding="utf-8") == first
    stat = target.stat()
    assert stat.st_mode & 0o777 == 0o600
    assert "unchanged" in project.run(verb, "--output", str(target), check=0).stderr
    assert target.stat().st_mtime_ns == stat.st_mtime_ns


@pytest.mark.parametrize("verb", VERBS)
def test_N07_a_file_is_named_after_what_checked_it(project: Project, verb: str) -> None:
    done = project.run(verb, "-o", "out.conf", "--validate", check=0)
    assert "checked by" in done.stderr
    assert done.stdout == ""
    assert project.run(verb, "--validate", check=0).stdout == (project.folder / "out.conf").read_text(encoding="utf-8")
    assert leftovers(project.folder) == []


def test_N07_validate_asks_each_nginx(project: Project, binary: Path) -> None:
    project.environment["NGINX"] = str(binary)
    assert "checked by nginx -t" in project.run("gen-nginx-conf", "-o", "out.conf", "--validate", check=0).stderr


def test_N07_what_nginx_refuses_leaves_the_former_file(project: Project, tmp_path: Path) -> None:
    target = project.folder / "out.conf"
    target.write_text("former\n")
    project.environment["NGINX"] = str(fake_nginx(tmp_path / "fake", then=REFUSES))
    done = project.run("gen-nginx-conf", "-o", "out.conf", "--validate", check=1)
    assert "nothing pleases me" in done.stderr
    assert target.read_text() == "former\n"
    assert leftovers(project.folder) == []


@pytest.mark.parametrize("verb", VERBS)
def test_N07_a_wrong_configuration_writes_nothing(project: Project, verb: str) -> None:
    target = project.folder / "out.conf"
    target.write_text("former\n")
    project.write({"servers": {"broker": {"port": "no"}}})
    done = project.run(verb, "-o", "out.conf", check=2)
    assert "dev-config.yaml:" in done.stderr
    assert target.read_text() == "former\n"


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("place", ["missing/out.conf", "folder"])
def test_N07_a_place_that_cannot_be_written_is_an_error_that_names_it(project: Project, verb: str, place: str) -> None:
    (project.folder / "folder").mkdir()
    done = project.run(verb, "-o", place, check=1)
    assert str(project.folder / place) in done.stderr
    assert "cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert leftovers(project.folder) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_N07_a_folder_of_somebody_elses_is_such_a_place() -> None:
    with project_of_user() as project:
        closed = project.folder / "closed"
        closed.mkdir(mode=0o755)
        done = run_as_user(project, "gen-supervisor-conf", "-o", "closed/out.conf")
        assert done.returncode == 1
        assert "cannot be written" in done.stderr
        assert list(closed.iterdir()) == []


def test_N07_another_configuration_can_be_named(project: Project) -> None:
    other = project.folder / "other.yaml"
    other.write_text(f"servers: {{solo: {{port: {project.port + 1}}}}}\n")
    text = project.run("gen-nginx-conf", "other.yaml", check=0).stdout
    assert "upstream solo {" in text
    assert "[program:solo-0]" in project.run("gen-supervisor-conf", "other.yaml", check=0).stdout


def test_N07_nginx_is_needed_for_checking_only(project: Project) -> None:
    project.environment["NGINX"] = "/nowhere/nginx"
    assert "upstream broker {" in project.run("gen-nginx-conf", check=0).stdout
    assert "no such file" in project.run("gen-nginx-conf", "--validate", check=1).stderr


def test_N07_make_writes_the_same_file(project: Project) -> None:
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("make uses .venv, which this checkout does not have")
    target = project.folder / "out.conf"
    # -o: the environment that runs this test is set up, whatever its stamp says.
    argv = ["make", "-s", "-C", str(ROOT), "-o", ".venv/.installed", "backend-manager-gen-nginx-conf"]
    argv += [f"config={project.config}", f"output={target}"]
    done = subprocess.run(argv, env=project.env(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert target.read_text(encoding="utf-8") == project.run("gen-nginx-conf", check=0).stdout
