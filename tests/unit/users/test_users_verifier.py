"""Tokens: whose they are, and what is wrong with those that are refused (D03)."""

import base64
import json
import time
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.user_tokens import HS256, SECRET, rsa_pair, token

from trading_api.shared.users.claims import read_claims
from trading_api.shared.users.errors import KeyUnusable, TokenRefused
from trading_api.shared.users.verifier import Verifier
from trading_api.user_settings import UserSettings

ALICE = {"sub": "alice", "exp": 2_000_000_000}


def refusal(text: str, settings: UserSettings = HS256) -> str:
    with pytest.raises(TokenRefused) as caught:
        Verifier(settings).check(text)
    assert text[:30] not in caught.value.reason or len(text) < 10, "the token is never repeated"
    return caught.value.reason


def rs256(**changes: Any) -> UserSettings:
    return UserSettings(**{"mode": "jwt", "algorithm": "RS256", "key": rsa_pair()[1], **changes})


def raw(header: object, claims: object = ALICE, signature: bytes = b"x" * 32) -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def test_D03_a_token_says_whose_it_is_and_until_when() -> None:
    claims = Verifier(HS256).check(token("älice@example.com", seconds=90))
    assert claims.user.id == "älice@example.com"
    assert claims.expires_s == pytest.approx(time.time() + 90, abs=5)
    signed = token("bob", key=rsa_pair()[0])
    assert Verifier(rs256()).check(signed).user.id == "bob"


def test_D03_the_algorithm_is_the_configured_one_whatever_a_token_says() -> None:
    # A public key is known to everybody: taken for a secret, it would let everybody sign.
    forged = jwt.PyJWS().encode(json.dumps(ALICE).encode(), "x" * 40, algorithm="HS256")
    assert refusal(forged, rs256()) == "The token is signed with HS256; this server takes RS256 only."
    assert "RS256; this server takes HS256 only" in refusal(token("bob", key=rsa_pair()[0]))
    for name in ("none", "None", "", None, 5, ["HS256"], {"a": 1}, "HS512 <script>"):
        reason = refusal(raw({"alg": name}, signature=b""))
        assert reason == "The token is signed with another algorithm; this server takes HS256 only."
    assert "signed with another algorithm" in refusal(raw({}))


def test_D03_a_public_key_used_as_a_secret_signs_nothing() -> None:
    import hashlib
    import hmac

    head = raw({"alg": "HS256"}).rsplit(".", 1)[0]
    for secret in (rsa_pair()[1], rsa_pair()[1].strip()):
        signature = base64.urlsafe_b64encode(hmac.digest(secret, head.encode(), hashlib.sha256)).rstrip(b"=").decode()
        assert "RS256 only" in refusal(f"{head}.{signature}", rs256())


@pytest.mark.parametrize(
    ("claims", "told"),
    [
        ({"exp": 1_000_000_000}, "The token expired at 2001-09-09T01:46:40Z."),
        ({"exp": None}, "The token has no `exp`: it would never expire."),
        ({"exp": "soon"}, "The token's `exp` is not a number of seconds."),
        ({"exp": True}, "The token's `exp` is not a number of seconds."),
        ({"exp": float("inf")}, "The token's `exp` is not a time."),
        ({"exp": float("nan")}, "The token's `exp` is not a time."),
        ({"exp": 10**30}, "The token's `exp` is not a time."),
        ({"exp": -1}, "The token's `exp` is not a time."),
        ({"nbf": 4_000_000_000}, "The token is valid from 2096-10-02T07:06:40Z on: its `nbf` says so."),
        ({"iat": 4_000_000_000}, "The token is valid from 2096-10-02T07:06:40Z on: its `iat` says so."),
        (
            {"nbf": 4_000_000_000, "iat": 4_000_000_001},
            "The token is valid from 2096-10-02T07:06:41Z on: its `iat` says so.",
        ),
        ({"nbf": "x"}, "The token's `nbf` is not a number of seconds."),
        ({"user": None}, "The token has no `sub`: it does not say who asks."),
        ({"user": ""}, "The token's `sub` is not a text of 1 to 200 printable characters."),
        ({"user": "x" * 201}, "The token's `sub` is not a text of 1 to 200 printable characters."),
        ({"user": 7}, "The token's `sub` is not a text of 1 to 200 printable characters."),
        ({"user": "a\nb"}, "The token's `sub` is not a text of 1 to 200 printable characters."),
        ({"user": "\ud800"}, "The token's `sub` is not a text of 1 to 200 printable characters."),
    ],
)
def test_D03_a_refusal_says_what_is_wrong_with_the_token(claims: dict[str, Any], told: str) -> None:
    assert refusal(token(**claims)) == told


@pytest.mark.parametrize(
    "text", ["x", "a.b", "a.b.c", "....", "é.é.é", "." * 8000, "\x00.\x00.\x00", raw([1]), raw("a")]
)
def test_D03_what_is_no_token_is_refused(text: str) -> None:
    assert "is not a JSON Web Token" in refusal(text)


@pytest.mark.parametrize("payload", [b"\xff\xfe", b"[1]", b"7", b"[" * 100_000, b"9" * 10_000, b""])
def test_D03_a_signed_token_without_claims_is_refused(payload: bytes) -> None:
    assert "The token holds no JSON" in refusal(jwt.PyJWS().encode(payload, SECRET, algorithm="HS256"))


def test_D03_a_token_of_another_key_or_a_changed_one_is_refused() -> None:
    head, _, signature = token().rpartition(".")
    wrong = "The token's signature is wrong: it was made with another key, or changed."
    assert refusal(token(key="another-secret-of-more-than-32-bytes!")) == wrong
    assert refusal(f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}") == wrong
    assert refusal(f"{head}.") == wrong
    other = token("mallory").split(".")[1]
    assert refusal(f"{head.split('.')[0]}.{other}.{signature}") == wrong


def test_D03_a_token_with_an_extension_that_nobody_knows_is_refused() -> None:
    # RFC 7515, 4.1.11: what is critical and not understood makes a token invalid, however well it is signed.
    headers = {"crit": ["http://example.com/x"], "http://example.com/x": 1}
    text = jwt.PyJWS().encode(json.dumps(ALICE).encode(), SECRET, algorithm="HS256", headers=headers)
    assert "is not a JSON Web Token that this server can read" in refusal(text)


def test_D03_issuer_and_audience_are_checked_where_they_are_configured() -> None:
    strict = UserSettings(mode="jwt", algorithm="HS256", key=SECRET.encode(), issuer="me", audience="trading")
    assert Verifier(strict).check(token(iss="me", aud="trading")).user.id == "alice"
    assert Verifier(strict).check(token(iss="me", aud=["other", "trading"])).user.id == "alice"
    assert Verifier(HS256).check(token(iss="anybody", aud="anything")).user.id == "alice"
    assert refusal(token(aud="trading"), strict) == "The token's `iss` is not the issuer that this server trusts."
    for wrong in (None, "trad", ["trad"], 7, {"trading": 1}, []):
        assert refusal(token(iss="me", aud=wrong), strict) == "The token's `aud` does not name this server."


def test_D03_clocks_may_differ_by_half_a_minute_but_expired_is_expired() -> None:
    now = 1_000_000.0
    verifier = Verifier(HS256, lambda: now)
    young = token(exp=now + 1, nbf=now + 30, iat=now + 30)
    assert verifier.check(young).user.id == "alice"
    with pytest.raises(TokenRefused, match="is valid from"):
        verifier.check(token(exp=now + 99, nbf=now + 31, iat=None))
    now += 1
    with pytest.raises(TokenRefused, match="expired at"):
        verifier.check(young)


def test_D03_a_remembered_token_still_expires_and_a_wrong_one_is_never_remembered() -> None:
    now = 1_000_000.0
    verifier = Verifier(HS256, lambda: now)
    text = token(exp=now + 10, iat=None)
    assert verifier.check(text) is verifier.check(text), "its signature was checked once"
    for _ in range(2):
        with pytest.raises(TokenRefused):
            verifier.check(text[:-4])
    now += 10
    with pytest.raises(TokenRefused, match="expired"):
        verifier.check(text)


@given(st.binary(max_size=60))
def test_D03_no_payload_breaks_the_reader(payload: bytes) -> None:
    try:
        claims = read_claims(payload)
    except TokenRefused:
        return
    assert claims.user.id.isprintable()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (rs256(key=b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"), "no public key that can be read"),
        (rs256(key=b""), "no public key that can be read"),
        (UserSettings(mode="jwt", algorithm="HS256", key=b"x" * 31), "less than 32 bytes"),
        (UserSettings(mode="jwt", algorithm="HS256", key=b"ssh-rsa " + b"x" * 40), "HS256 needs a secret"),
    ],
)
def test_D03_a_key_that_is_none_is_refused_in_words(settings: UserSettings, told: str) -> None:
    with pytest.raises(KeyUnusable, match=told) as caught:
        Verifier(settings)
    assert "AAAA" not in str(caught.value)


def test_D03_keys_that_are_weak_or_of_another_kind_are_refused() -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    curve = ec.generate_private_key(ec.SECP256R1()).public_key()
    pem = curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyUnusable, match="RS256 needs an RSA key"):
        Verifier(rs256(key=pem, key_source="the file k"))
    with pytest.raises(KeyUnusable, match="has 1024 bits; RS256 needs at least 2048"):
        Verifier(rs256(key=rsa_pair(1024)[1]))
