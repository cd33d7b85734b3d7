"""The guide to users: its commands work, and its YAML is taken (D03)."""

import re
from pathlib import Path

import pytest
import yaml
from support.user_tokens import rsa_pair

from deploy.schema import DeploymentConfig
from trading_api.__main__ import main
from trading_api.shared.users.verifier import Verifier
from trading_api.user_settings import UserSettings, read_key_file

PAGE = (Path(__file__).parents[3] / "docs" / "how-to" / "users.md").read_text(encoding="utf-8")


def test_D03_the_guides_commands_make_a_token_that_its_configuration_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\.venv/bin/python -m trading_api (token .*)$", PAGE, re.MULTILINE)
    assert len(commands) == 2
    assert [main(command.split()) for command in commands] == [0, 0]
    text = capsys.readouterr().out.splitlines()[-1]
    first, *_ = configurations()
    users = first.users
    settings = UserSettings(mode="jwt", algorithm="HS256", key=read_key_file(Path(users.key_file or ""), "HS256"))
    assert (users.mode, users.algorithm) == ("jwt", "HS256")
    assert Verifier(settings).check(text).user.id == "alice"


def configurations() -> list[DeploymentConfig]:
    """What the page's YAML says, each as a deployment."""
    blocks = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    servers = {"servers": {"core": {"port": 8001}}}
    return [DeploymentConfig.model_validate({**servers, **yaml.safe_load(block)}) for block in blocks]


def test_D03_the_guides_configuration_is_taken() -> None:
    _, production, origins = configurations()
    assert (production.users.algorithm, production.users.audience) == ("RS256", "trading")
    assert origins.allowed_origins == ("https://app.example.com",)
    Verifier(UserSettings(mode="jwt", key=rsa_pair()[1], issuer=production.users.issuer or ""))
