"""The settings of users, origins and the broker, read from the environment (D03)."""

from decimal import Decimal
from pathlib import Path

import pytest
from support.user_tokens import SECRET, rsa_pair

from trading_api.broker_settings import BrokerSettings
from trading_api.settings import Settings, SettingsError, read_settings
from trading_api.user_settings import UserSettings

KNOWN = {"core": ("v1",)}
JWT = {"TRADING_USERS_MODE": "jwt", "TRADING_USERS_ALGORITHM": "HS256", "TRADING_USERS_KEY_ENV": "THE_SECRET"}


def problems(**environ: str) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        read_settings(environ, KNOWN)
    return caught.value.problems


def secret_file(folder: Path, content: str | bytes = SECRET, mode: int = 0o600) -> dict[str, str]:
    path = folder / "secret"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(mode)
    return {"TRADING_USERS_MODE": "jwt", "TRADING_USERS_ALGORITHM": "HS256", "TRADING_USERS_KEY_FILE": str(path)}


def test_D03_without_a_word_there_is_one_user_and_no_origin() -> None:
    settings = read_settings({}, KNOWN)
    assert (settings.users, settings.allowed_origins, settings.broker) == (UserSettings(), (), BrokerSettings())
    assert settings == Settings()


def test_D03_a_secret_comes_from_a_file_or_from_a_variable(tmp_path: Path) -> None:
    by_file = read_settings(secret_file(tmp_path, f"{SECRET}\n"), KNOWN).users
    by_name = read_settings({**JWT, "THE_SECRET": SECRET}, KNOWN).users
    assert (by_file.key, by_name.key) == (SECRET.encode(), SECRET.encode())
    assert (by_file.mode, by_file.algorithm) == ("jwt", "HS256")
    assert SECRET not in repr(by_file) + repr(by_name) + repr(read_settings({**JWT, "THE_SECRET": SECRET}, KNOWN))


def test_D03_a_public_key_may_be_readable_by_all(tmp_path: Path) -> None:
    path = tmp_path / "users.pem"
    path.write_bytes(rsa_pair()[1])
    path.chmod(0o644)
    environ = {"TRADING_USERS_MODE": "jwt", "TRADING_USERS_KEY_FILE": str(path), "TRADING_USERS_AUDIENCE": "trading"}
    users = read_settings(environ, KNOWN).users
    assert (users.algorithm, users.key, users.audience) == ("RS256", rsa_pair()[1], "trading")


def test_D03_the_key_of_mode_none_is_not_read() -> None:
    environ = {**JWT, "TRADING_USERS_MODE": "none", "TRADING_USERS_KEY_FILE": "/nowhere"}
    assert read_settings(environ, KNOWN).users.key == b""


@pytest.mark.parametrize(
    ("content", "mode", "told"),
    [
        (SECRET, 0o640, "others may read the secret in it (mode 0640); run: chmod 600"),
        (SECRET, 0o604, "others may read the secret in it (mode 0604)"),
        ("x" * 31, 0o600, "has 31 bytes; HS256 needs at least 32"),
        ("", 0o600, "has 0 bytes"),
        (" " * 40, 0o600, "has 0 bytes"),
        ("x" * 32 + "\n" + "y" * 32, 0o600, "holds several lines"),
        ("-----BEGIN PUBLIC KEY-----" + "x" * 40, 0o600, "holds a PEM; HS256 needs a secret"),
        ("x" * 17_000, 0o600, "holds more than 16384 bytes"),
    ],
)
def test_D03_a_secret_that_is_none_is_refused_in_words(tmp_path: Path, content: str, mode: int, told: str) -> None:
    (problem,) = problems(**secret_file(tmp_path, content, mode))
    assert told in problem
    assert not content.strip() or content[:20] not in problem


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"TRADING_USERS_MODE": "jwt"}, "set either TRADING_USERS_KEY_FILE or TRADING_USERS_KEY_ENV"),
        ({**JWT, "TRADING_USERS_KEY_FILE": "x"}, "set either TRADING_USERS_KEY_FILE or TRADING_USERS_KEY_ENV"),
        (JWT, "the environment has no variable THE_SECRET"),
        ({**JWT, "THE_SECRET": "short"}, "the environment variable THE_SECRET has 5 bytes"),
        ({**JWT, "TRADING_USERS_KEY_ENV": "!secret itself!"}, "not the name of an environment variable"),
        ({"TRADING_USERS_MODE": "jwts"}, "TRADING_USERS_MODE: unknown mode 'jwts'; did you mean 'jwt'?"),
        ({"TRADING_USERS_MODE": "jwt", "TRADING_USERS_ALGORITHM": "none"}, "unknown algorithm 'none'"),
        ({"TRADING_USERS_MODE": "jwt", "TRADING_USERS_ALGORITHM": "rs256"}, "known: RS256, HS256"),
        ({"TRADING_USERS_MODE": "jwt", "TRADING_USERS_KEY_FILE": "/no/key"}, "cannot read the key in /no/key: No such"),
    ],
)
def test_D03_settings_of_users_that_cannot_work_are_told(environ: dict[str, str], told: str) -> None:
    (problem,) = problems(**environ)
    assert told in problem
    assert "!secret itself!" not in problem


def test_D03_a_private_key_is_not_for_servers(tmp_path: Path) -> None:
    path = tmp_path / "private.pem"
    path.write_bytes(rsa_pair()[0])
    (problem,) = problems(TRADING_USERS_MODE="jwt", TRADING_USERS_KEY_FILE=str(path))
    assert "holds a private key; a server needs only the public one" in problem


def test_D03_origins_are_read_as_browsers_write_them() -> None:
    text = "https://App.example.com, http://localhost:5173 ,https://app.example.com:443,http://[::1]:80"
    origins = read_settings({"TRADING_ALLOWED_ORIGINS": text}, KNOWN).allowed_origins
    assert origins == ("https://app.example.com", "http://localhost:5173", "http://[::1]")


@pytest.mark.parametrize("origin", ["*", "app.example.com", "https://a.b/", "https://a.b:0", "https://a:65536", "null"])
def test_D03_what_is_no_origin_is_refused(origin: str) -> None:
    (problem,) = problems(TRADING_ALLOWED_ORIGINS=f"https://fine.example,{origin}")
    assert f"{origin!r} is not an origin" in problem


def test_D03_the_brokers_terms_are_read_exactly() -> None:
    environ = {
        "TRADING_BROKER_BALANCE": "2500.50",
        "TRADING_BROKER_CURRENCY": "EUR",
        "TRADING_BROKER_COMMISSION_RATE": "1e-05",
        "TRADING_BROKER_COMMISSION_PER_SHARE": "0.005",
        "TRADING_BROKER_STALE_QUOTE": "2.5",
    }
    broker = read_settings(environ, KNOWN).broker
    assert broker == BrokerSettings(Decimal("2500.5"), "EUR", Decimal("0.00001"), Decimal("0.005"), 2.5)
    assert str(read_settings({"TRADING_BROKER_BALANCE": "100000"}, KNOWN).broker.balance) == "100000"


def test_D03_everything_wrong_with_the_brokers_terms_is_told_at_once() -> None:
    found = problems(
        TRADING_BROKER_BALANCE="-1",
        TRADING_BROKER_CURRENCY="usd",
        TRADING_BROKER_COMMISSION_RATE="0.11",
        TRADING_BROKER_COMMISSION_PER_SHARE="0.000000001",
        TRADING_BROKER_STALE_QUOTE="0",
    )
    assert [problem.partition(":")[0].rpartition("_BROKER_")[2] for problem in found] == [
        "BALANCE",
        "CURRENCY",
        "COMMISSION_RATE",
        "COMMISSION_PER_SHARE",
        "STALE_QUOTE",
    ]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e5000000", "1_000", "0x10", "٣", "1e13", "1" * 30, "0", "1e-99"])
def test_D03_a_balance_is_a_number_that_makes_sense(text: str) -> None:
    (problem,) = problems(TRADING_BROKER_BALANCE=text)
    assert problem.startswith("TRADING_BROKER_BALANCE: ")
