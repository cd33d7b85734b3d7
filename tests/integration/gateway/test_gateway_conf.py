"""N01: the generated nginx.conf passes `nginx -t`, whatever the configuration, the path, the user and the folder."""

import os
import subprocess
from pathlib import Path

import pytest
from support.gateway_nginx import MODULES, Config, make_plan, module, write_conf

from deploy.manifest import Manifest

pytestmark = pytest.mark.integration

NOBODY = 65534
CORE = {"core": module("v1", name="core")}
WIDE = {"one": {"port": 21100, "instances": 64, "modules": ["broker"]}, "two": {"port": 21200, "modules": ["datafeed"]}}
LONG = "r" + "o" * 63

CONFIGS: dict[str, tuple[Config, Manifest]] = {
    "one server": ({"servers": {"main": {"port": 21001, "modules": ["broker", "datafeed"]}}}, MODULES),
    "core only": ({"servers": {"core": {"port": 21001}}}, Manifest(CORE)),
    "many instances, auto": ({"nginx": {"worker_processes": "auto"}, "servers": WIDE}, MODULES),
    "query parameter": ({"websocket": {"routing_strategy": "query_param"}, "servers": WIDE}, MODULES),
    "long base and names": (
        {"api_base_url": "/" + "a" * 120, "servers": {"s" * 32: {"port": 21001, "modules": ["broker"]}}},
        MODULES,
    ),
    "IPv6": ({"nginx": {"host": "::1"}, "servers": {"main": {"port": 21001, "host": "::1"}}}, MODULES),
    "every address": (
        {"nginx": {"host": "0.0.0.0"}, "servers": {"main": {"port": 21001, "host": "0.0.0.0", "modules": ["broker"]}}},
        MODULES,
    ),
    "words that nginx knows": (
        {
            "websocket": {"routing_strategy": "query_param"},
            "servers": {"unix": {"port": 21001, "modules": ["odd"]}, "localhost": {"port": 21002, "modules": ["ws"]}},
        },
        Manifest(
            {
                **CORE,
                "odd": module("v1", name="odd", routes=("default", "hostnames", "include", "volatile", LONG)),
                "ws": module("v1", name="ws", routes=("x",)),
            }
        ),
    ),
    "many versions": (
        {
            "websocket": {"routing_strategy": "query_param"},
            "servers": {"main": {"port": 21001, "modules": ["broker"]}},
        },
        Manifest({**CORE, "broker": module(*(f"v{n}" for n in range(1, 31)), name="broker", routes=("orders",))}),
    ),
}

PATHS = {
    "spaces": "a folder with  spaces",
    "percent": "100%s %d",
    "quotes": 'it\'s "here"',
    "backslash": "back\\slash\\",
    "comment signs": "a #1 ;b {c}",
    "letters": "Börse 株",
    "long": "/".join(["l" * 200] * 3),
}


def accepts(binary: Path, *arguments: str, cwd: Path | str = "/", user: int | None = None) -> None:
    """`nginx -t`, which must succeed; warnings are failures too."""
    done = subprocess.run(
        [str(binary), "-t", "-q", *arguments], cwd=cwd, capture_output=True, text=True, timeout=30, user=user
    )
    said = [line for line in done.stderr.splitlines() if "could not open error log file" not in line]
    assert (done.returncode, said) == (0, []), done.stderr


@pytest.mark.parametrize("name", CONFIGS)
def test_N01_every_kind_of_configuration_is_taken(name: str, binary: Path, tmp_path: Path) -> None:
    config, modules = CONFIGS[name]
    conf = write_conf(make_plan(tmp_path, config, binary, modules))
    accepts(binary, "-e", "stderr", "-p", str(tmp_path / ".local"), "-c", str(conf))


@pytest.mark.parametrize("name", PATHS)
def test_N01_every_path_is_taken_with_and_without_prefix_from_any_folder(
    name: str, binary: Path, tmp_path: Path
) -> None:
    folder = tmp_path / PATHS[name]
    folder.mkdir(parents=True)
    conf = write_conf(make_plan(folder, CONFIGS["query parameter"][0], binary))
    accepts(binary, "-e", "stderr", "-p", str(folder / ".local"), "-c", str(conf))
    for cwd in ("/", tmp_path, folder):
        accepts(binary, "-e", "stderr", "-c", str(conf), cwd=cwd)
    # nginx said where its logs go by opening them.
    assert (folder / ".local" / "logs" / "nginx-access.log").exists()
    assert (folder / ".local" / "logs" / "nginx-error.log").exists()


def test_N01_a_dollar_in_the_path_is_taken_with_the_prefix_that_the_tree_uses(binary: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cheap $5 ${HOME}"
    folder.mkdir()
    made = make_plan(folder, CONFIGS["one server"][0], binary)
    conf = write_conf(made)
    argv = made.processes[-1].argv
    assert argv[0] == str(binary)
    assert argv[-1] == str(conf)
    accepts(binary, *argv[1:])
    assert (folder / ".local" / "logs" / "nginx-access.log").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_N01_an_ordinary_user_needs_nothing_of_roots(
    binary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: NOBODY)
    conf = write_conf(make_plan(tmp_path, CONFIGS["query parameter"][0], binary))
    # A parallel run puts a folder of each worker in between.
    ours = (parent for parent in tmp_path.parents if "pytest-of-" in str(parent))
    for folder in (*ours, tmp_path, *tmp_path.rglob("*")):
        folder.chmod(0o755)
    for path in (tmp_path, *tmp_path.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    assert "\nuser " not in conf.read_text(encoding="utf-8")
    runnable = _for_others(binary, tmp_path)
    accepts(runnable, "-e", "stderr", "-p", str(tmp_path / ".local"), "-c", str(conf), user=NOBODY)
    assert (tmp_path / ".local" / "logs" / "nginx-access.log").stat().st_uid == NOBODY


def _for_others(binary: Path, folder: Path) -> Path:
    """`binary`, or a copy where its folders are closed to other users."""
    if all(parent.stat().st_mode & 0o001 for parent in binary.parents):
        return binary
    copy = folder / "nginx-copy"
    copy.write_bytes(binary.read_bytes())
    copy.chmod(0o755)
    return copy


def test_N01_only_the_projects_own_folder_is_written_to(binary: Path, tmp_path: Path) -> None:
    conf = write_conf(make_plan(tmp_path, CONFIGS["one server"][0], binary))
    accepts(binary, "-e", "stderr", "-p", str(tmp_path / ".local"), "-c", str(conf))
    # Where the path is a long one, the temporary folder, which is this one, has the socket's.
    made = sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("backend-"))
    assert made == [".local", "config.yaml"]
    inside = {path.relative_to(tmp_path / ".local").parts[0] for path in (tmp_path / ".local").rglob("*")}
    assert inside == {"data", "etc", "logs", "run"}
