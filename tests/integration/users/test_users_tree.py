"""Users in a running tree: tokens through the gateway, and a secret that is in no file (D03)."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from support.project import Project, project_in
from support.user_tokens import SECRET, bearer, token
from support.waiting import wait_until
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

pytestmark = pytest.mark.integration

USERS = {"mode": "jwt", "algorithm": "HS256", "key_env": "THE_SECRET"}


def configured(project: Project) -> Project:
    servers = {"broker": {"port": project.port + 1, "modules": ["broker"]}, "core": {"port": project.port + 7}}
    project.write({"nginx": {"port": project.port}, "servers": servers, "users": USERS})
    return project


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A broker, whose secret is in the environment in which the tree is started."""
    with project_in(tmp_path_factory.mktemp("users") / "project") as project:
        project.environment["THE_SECRET"] = SECRET
        configured(project).up()
        yield project


def test_D03_the_gateway_passes_on_who_asks_and_from_where(tree: Project) -> None:
    path = "/api/v1/broker/account"
    refused = tree.get(path)
    assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    assert refused.headers["www-authenticate"] == "Bearer"
    cookie = {"Cookie": f"access_token={token()}"}
    assert [tree.get(path, headers=shown).status_code for shown in (bearer(), cookie)] == [200, 200]
    assert tree.get("/api/v1/broker/health").status_code == 200
    assert tree.get("/api/v1/core/health").status_code == 200
    foreign = {**cookie, "Origin": "https://evil.example"}
    with httpx.Client(trust_env=False, headers=foreign) as client:
        assert client.post(tree.url + path).status_code == 403
    socket = f"ws://127.0.0.1:{tree.port}/api/v1/broker/ws"
    for headers, origin, status in (({}, None, 401), (cookie, Origin("https://evil.example"), 403)):
        with pytest.raises(InvalidStatus) as caught:
            connect(socket, proxy=None, additional_headers=headers, origin=origin)
        assert caught.value.response.status_code == status
        assert json.loads(caught.value.response.body or b"")["status"] == status
    with connect(socket, proxy=None, additional_headers=cookie, origin=Origin(tree.url)):
        pass


def test_D03_a_restarted_server_still_has_the_secret_which_is_in_no_file(tree: Project) -> None:
    done = tree.supervisorctl("restart", "broker:broker-0")
    assert "started" in done.stdout, done.stdout
    wait_until(lambda: tree.process("broker:broker-0")["health"] == "healthy", what="the broker to be healthy")
    assert tree.get("/api/v1/broker/account", headers=bearer()).status_code == 200
    assert SECRET not in tree.run("plan", tree.config_name).stdout
    assert not [process.pid for process in tree.processes() if any(SECRET in word for word in process.cmdline())]
    files = [path for path in tree.folder.rglob("*") if path.is_file()]
    assert tree.local / "etc" / "supervisord.conf" in files
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


def test_D03_a_running_tree_that_lacks_the_variable_goes_on_untouched(tree: Project) -> None:
    before, conf = tree.pids(), tree.config.read_text()
    tree.environment["LATER_SECRET"] = SECRET
    tree.config.write_text(conf.replace("THE_SECRET", "LATER_SECRET"))
    try:
        for verb in ("plan", "start"):
            done = tree.run(verb, tree.config_name, check=1)
            assert "users.key_env: supervisord was started without LATER_SECRET: make supervise-down" in done.stderr
        tree.config.write_text(conf)
        tree.environment["THE_SECRET"] = SECRET[::-1]
        planned = tree.run("plan", "--json", tree.config_name, check=0)
        assert "supervisord was started with another THE_SECRET" in planned.stderr
        assert {row["action"] for row in json.loads(planned.stdout)} == {"leave"}
    finally:
        tree.environment["THE_SECRET"] = SECRET
        tree.config.write_text(conf)
    assert tree.pids() == before
    assert tree.run("plan", tree.config_name, check=0).stderr == ""


def test_D03_a_tree_without_its_secret_starts_nothing(tmp_path: Path) -> None:
    with project_in(tmp_path / "project") as project:
        configured(project)
        done = project.run("start", project.config_name)
        assert done.returncode != 0
        assert "users.key_env: the environment has no variable THE_SECRET; nothing was started" in done.stderr
        assert project.processes() == []
