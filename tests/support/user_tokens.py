"""Keys and tokens for tests of users."""

import json
import time
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from trading_api.user_settings import UserSettings

SECRET = "a-secret-of-more-than-thirty-two-bytes"
HS256 = UserSettings(mode="jwt", algorithm="HS256", key=SECRET.encode())


@lru_cache
def rsa_pair(bits: int = 2048) -> tuple[bytes, bytes]:
    """A private and a public key as PEM, the same at each call."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@lru_cache
def ec_public_key() -> bytes:
    """A public key of another algorithm, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def token(user: object = "alice", *, seconds: float = 60, key: str | bytes = SECRET, **claims: Any) -> str:
    """A token for `user` that expires in `seconds`; `claims` adds or replaces, and takes away what is None."""
    now = time.time()
    content = {"sub": user, "iat": int(now), "exp": now + seconds, **claims}
    present = {name: value for name, value in content.items() if value is not None}
    # Signed as bytes, for PyJWT would not write some claims that a wrong token may hold.
    text = json.dumps(present).encode()
    return jwt.PyJWS().encode(text, key, algorithm="RS256" if b"PRIVATE" in _bytes(key) else "HS256")


def bearer(user: object = "alice", **claims: Any) -> dict[str, str]:
    """The headers that show a token."""
    return {"Authorization": f"Bearer {token(user, **claims)}"}


def _bytes(key: str | bytes) -> bytes:
    return key.encode() if isinstance(key, str) else key
