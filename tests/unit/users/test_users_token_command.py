"""`python -m trading_api token`: tokens and secrets to try out with (D03)."""

import os
import stat
from pathlib import Path

import pytest
from support.user_tokens import HS256, SECRET, rsa_pair

from trading_api.__main__ import main
from trading_api.shared.users.verifier import Verifier
from trading_api.user_settings import UserSettings, read_key_file

Capture = pytest.CaptureFixture[str]


def run(capsys: Capture, *argv: str) -> tuple[int, str, str]:
    """Exit code, output and errors of the verb."""
    code = main(["token", *argv])
    captured = capsys.readouterr()
    return code, captured.out.strip(), captured.err.strip()


def test_D03_a_new_secret_makes_tokens_that_a_server_takes(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "secret"
    code, said, _ = run(capsys, "--new-secret", str(path))
    assert (code, stat.S_IMODE(path.stat().st_mode)) == (0, 0o600)
    assert path.read_text().strip() not in said
    code, text, _ = run(capsys, "--user", "alice", "--key-file", str(path), "--expires", "90s")
    assert code == 0
    server = UserSettings(mode="jwt", algorithm="HS256", key=read_key_file(path, "HS256"))
    claims = Verifier(server).check(text)
    assert (claims.user.id, claims.expires_s - claims.begins_s) == ("alice", 90)


def test_D03_a_secret_is_never_replaced(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "secret"
    path.write_text("precious")
    code, _, told = run(capsys, "--new-secret", str(path))
    assert (code, path.read_text()) == (1, "precious")
    assert "is there already" in told
    assert run(capsys, "--new-secret", str(tmp_path / "no" / "folder"))[0] == 1


def test_D03_a_private_key_makes_tokens_for_its_public_one(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "private.pem"
    path.write_bytes(rsa_pair()[0])
    path.chmod(0o600)
    words = ("--user", "bob", "--key-file", str(path), "--issuer", "me", "--audience", "trading")
    code, text, _ = run(capsys, *words)
    server = UserSettings(mode="jwt", key=rsa_pair()[1], issuer="me", audience="trading")
    assert (code, Verifier(server).check(text).user.id) == (0, "bob")


def test_D03_a_public_key_is_told_to_sign_nothing(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "users.pem"
    path.write_bytes(rsa_pair()[1])
    path.chmod(0o600)
    code, said, told = run(capsys, "--user", "bob", "--key-file", str(path))
    assert (code, said) == (1, "")
    assert "holds a public key, which only checks tokens; signing needs the private key" in told


def test_D03_a_key_may_come_from_the_environment(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_SECRET", SECRET)
    code, text, _ = run(capsys, "--user", "bob", "--key-env", "THE_SECRET")
    assert (code, Verifier(HS256).check(text).user.id) == (0, "bob")


@pytest.mark.parametrize(
    ("argv", "code", "told"),
    [
        ((), 2, "say for whom: --user NAME"),
        (("--user", "a"), 2, "either --key-file FILE or --key-env NAME"),
        (("--user", "a", "--key-file", "x", "--key-env", "Y"), 2, "either --key-file FILE or --key-env NAME"),
        (("--user", "a", "--key-env", "GOOD", "--expires", "soon"), 2, "'soon' is not a time"),
        (("--user", "a", "--key-env", "GOOD", "--expires", "0s"), 2, "'0s' is not a time"),
        (("--user", "a", "--key-env", "GOOD", "--expires", "9999d"), 2, "'9999d' is not a time of at most ten years"),
        (("--user", "x" * 201, "--key-env", "GOOD"), 2, "1 to 200 printable characters"),
        (("--user", "a\nb", "--key-env", "GOOD"), 2, "1 to 200 printable characters"),
        (("--user", "a", "--key-env", "GOOD", "--algorithm", "none"), 2, "invalid choice: 'none'"),
        (("--user", "a", "--key-env", "ABSENT"), 1, "the environment variable ABSENT holds no key"),
        (("--user", "a", "--key-env", "SHORT"), 1, "has 5 bytes; HS256 needs at least 32"),
        (("--user", "a", "--key-env", "GOOD", "--algorithm", "RS256"), 1, "holds no private key"),
        (("--user", "a", "--key-env", "BROKEN"), 1, "of no use for RS256"),
        (("--user", "a", "--key-file", "/no/such/key"), 1, "cannot read the key in /no/such/key: No such file"),
    ],
)
def test_D03_mistakes_are_told_in_words(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], code: int, told: str
) -> None:
    monkeypatch.setenv("GOOD", SECRET)
    monkeypatch.setenv("SHORT", "short")
    monkeypatch.setenv("BROKEN", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----")
    found, said, error = run(capsys, *argv)
    assert (found, said) == (code, "")
    assert told in error
    assert "Traceback" not in error
    assert SECRET not in error


def test_D03_a_key_that_others_may_read_signs_nothing(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "secret"
    path.write_text(SECRET)
    path.chmod(0o644)
    code, _, told = run(capsys, "--user", "a", "--key-file", str(path))
    assert code == 1
    assert "others may read the secret in it (mode 0644); run: chmod 600" in told


def test_D03_an_encrypted_key_is_told_as_one(tmp_path: Path, capsys: Capture) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(rsa_pair()[0], None)
    path = tmp_path / "private.pem"
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"x")))
    os.chmod(path, 0o600)
    code, _, told = run(capsys, "--user", "a", "--key-file", str(path))
    assert code == 1
    assert "encrypted" in told
