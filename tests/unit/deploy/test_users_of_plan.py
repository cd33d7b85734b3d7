"""Users, origins and the broker's terms reach the servers that need them, and no key reaches a file (D03)."""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_supervisor import FakeSupervisor
from support.plans import SERVERS, make_plan
from support.user_tokens import SECRET, ec_public_key, rsa_pair

from deploy import addresses, loader
from deploy.errors import ConfigError
from deploy.planner import serve_environment
from deploy.runtime.inherited import NotInherited, check_inherited
from deploy.runtime.users_key import KeyRefused, check_users_key
from deploy.schema import DeploymentConfig, UsersConfig
from trading_api.settings import Settings, read_settings
from trading_api.shared.users.errors import KeyUnusable
from trading_api.shared.users.verifier import Verifier
from trading_api.user_settings import UserSettings, parse_origin, read_user_settings

KNOWN = {"core": ("v1",)}


def told(environ: Mapping[str, str] | None = None, **keys: object) -> Settings:
    """What a server reads that the file tells `keys`."""
    config = DeploymentConfig.model_validate({"servers": {"core": {"port": 8001}}, **keys})
    return read_settings({**serve_environment(config, ("core",)), **(environ or {})}, KNOWN)


def test_D03_the_defaults_of_file_and_settings_are_the_same() -> None:
    settings, default = told(), Settings()
    assert (settings.users, settings.broker, settings.allowed_origins) == (
        default.users,
        default.broker,
        default.allowed_origins,
    )


def test_D03_what_the_file_says_is_what_the_server_reads() -> None:
    settings = told(
        {"THE_SECRET": SECRET},
        users={"mode": "jwt", "algorithm": "HS256", "key_env": "THE_SECRET", "issuer": "me", "audience": "you"},
        allowed_origins=["https://App.example.com:443", "http://localhost:5173"],
        broker={"balance": 2500.5, "currency": "EUR", "commission_rate": 0.00001, "stale_quote": "500ms"},
    )
    users = settings.users
    assert (users.mode, users.algorithm, users.key) == ("jwt", "HS256", SECRET.encode())
    assert (users.issuer, users.audience) == ("me", "you")
    assert settings.allowed_origins == ("https://app.example.com", "http://localhost:5173")
    broker = settings.broker
    assert (broker.balance, broker.currency, broker.stale_quote_s) == (Decimal("2500.5"), "EUR", 0.5)
    assert (broker.commission_rate, broker.commission_per_share) == (Decimal("0.00001"), Decimal(0))


def test_D03_the_tree_is_told_a_keys_name_and_never_the_key() -> None:
    users = {"mode": "jwt", "algorithm": "HS256", "key_env": "THE_SECRET"}
    config = DeploymentConfig.model_validate({"servers": {"core": {"port": 8001}}, "users": users})
    environment = serve_environment(config, ("core",))
    assert environment["TRADING_USERS_KEY_ENV"] == "THE_SECRET"
    assert "THE_SECRET" not in environment


@given(
    st.decimals(Decimal("0.01"), Decimal(10**9), places=4),
    st.decimals(0, Decimal("0.1"), places=8),
    st.integers(0, 1000),
)
def test_D03_every_amount_that_the_file_may_say_is_read(balance: Decimal, rate: Decimal, share: int) -> None:
    terms = {"balance": float(balance), "commission_rate": float(rate), "commission_per_share": share}
    broker = told(broker=terms).broker
    assert (broker.balance, broker.commission_rate, broker.commission_per_share) == (balance, rate, Decimal(share))


ORIGINS = ["https://a.example", "http://a:1", "http://[::1]:8000", "https://A.b-c.D:65535", "http://10.0.0.1"]
NO_ORIGINS = ["*", "null", "", "a.example", "https://a/", "https://a:", "https://a:0", "ftp://a", "https://*.a", "//a"]


@pytest.mark.parametrize(
    "text", [*ORIGINS, *NO_ORIGINS, "https://a:65536", "https://a b", "https://a,b", "https://u@a"]
)
def test_D03_file_and_server_agree_on_what_an_origin_is(text: str) -> None:
    answers = []
    for judge in (addresses.origin, parse_origin):
        try:
            answers.append(bool(judge(text)))
        except ValueError:
            answers.append(False)
    assert answers[0] == answers[1] == (text in ORIGINS)


KEYS: list[tuple[str, bytes, int]] = [
    ("HS256", SECRET.encode(), 0o600),
    ("HS256", SECRET.encode() + b"\n", 0o400),
    ("HS256", SECRET.encode(), 0o640),
    ("HS256", b"x" * 31, 0o600),
    ("HS256", b"x" * 40 + b"\n" + b"y" * 40, 0o600),
    ("HS256", b"x" * 20_000, 0o600),
    ("HS256", b"", 0o600),
    ("HS256", b"ssh-rsa " + b"A" * 60, 0o600),
    ("HS256", rsa_pair()[1], 0o600),
    ("RS256", rsa_pair()[1], 0o644),
    ("RS256", rsa_pair(1024)[1], 0o644),
    ("RS256", ec_public_key(), 0o644),
    ("RS256", b"-----BEGIN PUBLIC KEY-----\nnothing\n-----END PUBLIC KEY-----\n", 0o644),
    ("RS256", b"\n  " + rsa_pair()[1], 0o644),
    ("RS256", rsa_pair()[0], 0o600),
    ("RS256", SECRET.encode(), 0o600),
    ("RS256", b"", 0o600),
]


@pytest.mark.parametrize(("algorithm", "content", "mode"), KEYS)
def test_D03_a_key_that_servers_would_refuse_is_refused_before_anything_starts(
    tmp_path: Path, algorithm: str, content: bytes, mode: int
) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    path.chmod(mode)
    environ = {
        "TRADING_USERS_MODE": "jwt",
        "TRADING_USERS_ALGORITHM": algorithm,
        "TRADING_USERS_KEY_FILE": str(path),
    }
    settings, problems = read_user_settings(environ)
    users = UsersConfig.model_validate({"mode": "jwt", "algorithm": algorithm, "key_file": "key"})
    if not problems and _is_usable(settings):
        check_users_key(users, tmp_path, {})
        return
    with pytest.raises(KeyRefused, match=r"users\.key_file: .*; nothing was started or changed") as caught:
        check_users_key(users, tmp_path, {})
    assert len(content) < 20 or content[:20].decode() not in str(caught.value)


def _is_usable(settings: UserSettings) -> bool:
    try:
        Verifier(settings)
    except KeyUnusable:
        return False
    return True


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (rsa_pair(1024)[1], "the RSA key in key has 1024 bits; RS256 needs at least 2048"),
        (ec_public_key(), "key holds the key of another algorithm: RS256 needs an RSA key"),
    ],
)
def test_D03_a_public_key_of_no_use_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "key").write_bytes(content)
    users = UsersConfig.model_validate({"mode": "jwt", "algorithm": "RS256", "key_file": "key"})
    with pytest.raises(KeyRefused) as caught:
        check_users_key(users, tmp_path, {})
    assert str(caught.value) == f"users.key_file: {reason}; nothing was started or changed"


def test_D03_a_key_that_is_not_there_is_told(tmp_path: Path) -> None:
    by_file = UsersConfig.model_validate({"mode": "jwt", "key_file": "users.pem"})
    with pytest.raises(KeyRefused, match=r"users\.key_file: cannot read users\.pem: No such file"):
        check_users_key(by_file, tmp_path, {})
    by_name = UsersConfig.model_validate({"mode": "jwt", "algorithm": "HS256", "key_env": "THE_SECRET"})
    with pytest.raises(KeyRefused, match=r"users\.key_env: the environment has no variable THE_SECRET"):
        check_users_key(by_name, tmp_path, os.environ)
    with pytest.raises(KeyRefused, match="the secret in the variable THE_SECRET has 5 bytes"):
        check_users_key(by_name, tmp_path, {"THE_SECRET": "short"})
    check_users_key(by_name, tmp_path, {"THE_SECRET": SECRET})
    check_users_key(UsersConfig.model_validate({"mode": "none", "key_file": "nowhere"}), tmp_path, {})


BY_NAME = {"mode": "jwt", "algorithm": "HS256", "key_env": "THE_SECRET"}


@pytest.mark.parametrize(
    ("users", "broker_env", "inherited"),
    [
        (BY_NAME, {}, "THE_SECRET"),
        (BY_NAME, {"THE_SECRET": "of its own"}, None),
        ({**BY_NAME, "mode": "none"}, {}, None),
        ({"mode": "jwt", "key_file": "users.pem"}, {}, None),
    ],
)
def test_D03_the_plan_names_the_variable_that_servers_inherit(
    users: dict[str, str], broker_env: dict[str, str], inherited: str | None
) -> None:
    servers = {**SERVERS, "broker": {**SERVERS["broker"], "env": broker_env}}
    assert make_plan(servers=servers, users=users).key_variable == inherited


def test_D03_without_accounts_no_server_inherits_a_key() -> None:
    assert make_plan(servers={"core": {"port": 8004}}, users=BY_NAME).key_variable is None


def test_D03_a_supervisord_without_the_variable_is_told_before_anything_stops() -> None:
    client = FakeSupervisor({})
    with pytest.raises(NotInherited, match=r"users\.key_env: supervisord was started without THE_SECRET: ") as caught:
        check_inherited("THE_SECRET", client, {"THE_SECRET": SECRET})
    assert "make supervise-down, then make supervise-up" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert client.calls == []


def test_D03_another_value_than_supervisords_is_a_note() -> None:
    client = FakeSupervisor({})
    client.environment = {"THE_SECRET": "the former secret"}
    note = check_inherited("THE_SECRET", client, {"THE_SECRET": SECRET})
    assert "supervisord was started with another THE_SECRET" in note
    assert SECRET not in note
    client.environment = {"THE_SECRET": SECRET}
    assert check_inherited("THE_SECRET", client, {"THE_SECRET": SECRET}) == ""


def test_D03_nothing_is_said_where_nothing_is_inherited_or_nobody_can_tell() -> None:
    assert check_inherited(None, FakeSupervisor({}), {}) == ""
    earlier = FakeSupervisor({})
    earlier.environment = None
    assert check_inherited("THE_SECRET", earlier, {"THE_SECRET": SECRET}) == ""


def debug(tmp_path: Path, text: str) -> str:
    """What is wrong with a file that has development routes; empty: nothing."""
    path = tmp_path / "c.yaml"
    path.write_text(f"{text}\ndebug_routes: true\n", encoding="utf-8")
    try:
        loader.load(path, None, {})
    except ConfigError as error:
        return str(error)
    return ""


JWT = "users: {mode: jwt, key_file: users.pem}"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("servers: {a: {port: 8001}}", True),
        ("nginx: {host: localhost}\nservers: {a: {port: 8001, host: '::1'}}", True),
        ("servers: {a: {port: 8001, reload: true}}", True),
        (f"servers: {{a: {{port: 8001, reload: true}}}}\n{JWT}", True),
        ("nginx: {host: 0.0.0.0}\nservers: {a: {port: 8001, reload: true}}", True),
        ("nginx: {host: 0.0.0.0}\nservers: {a: {port: 8001}}", False),
        ("servers: {a: {port: 8001, host: 10.0.0.5}}", False),
        (f"servers: {{a: {{port: 8001}}}}\n{JWT}", False),
        (f"servers: {{a: {{port: 8001, reload: true}}, b: {{port: 8002}}}}\n{JWT}", False),
    ],
)
def test_D03_development_routes_are_never_part_of_a_production_deployment(
    tmp_path: Path, text: str, taken: bool
) -> None:
    refused = "debug_routes: routes for development do not go with"
    assert (refused in debug(tmp_path, text)) is not taken
    assert debug(tmp_path, text) == "" or not taken
