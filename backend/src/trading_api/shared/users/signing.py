"""Makes tokens and secrets, for trying out. A server never does: whoever knows the users does."""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trading_api.shared.users.errors import KeyUnusable
from trading_api.shared.users.user import MAX_USER_ID
from trading_api.user_settings import MAX_KEY_BYTES, fit_key, shared_with

_DURATION = re.compile(r"([0-9]{1,9})(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_EXPIRES_S = 10 * 365 * 86_400
_SECRET_BYTES = 48


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """`user` for `expires_s` seconds; empty `issuer` and `audience` are left out."""

    user: str
    expires_s: int
    issuer: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key and what it is for. Its text stays out of every message."""

    algorithm: str
    text: bytes
    where: str

    def __repr__(self) -> str:
        return f"SigningKey({self.algorithm}, {self.where})"


def parse_duration(text: str) -> int:
    """Seconds in `90s`, `15m`, `1h` or `7d`. Raises ValueError."""
    match = _DURATION.fullmatch(text.strip())
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= MAX_EXPIRES_S:
        raise ValueError(f"{text!r} is not a time of at most ten years; write it as 90s, 15m, 1h or 7d")
    return seconds


def signing_key(file: Path | None, name: str | None, environ: Mapping[str, str], algorithm: str | None) -> SigningKey:
    """The key in `file`, or else in the variable `name`; without `algorithm` its look tells which.

    Raises KeyUnusable: it cannot be read, others may read it, or it is of no use.
    """
    where = str(file) if file else f"the environment variable {name}"
    content = (_file_content(file) if file else environ.get(name or "", "").encode(errors="surrogateescape")).strip()
    if not content:
        raise KeyUnusable(f"{where} holds no key")
    is_pem = content.startswith(b"-----BEGIN")
    chosen = algorithm or ("RS256" if is_pem else "HS256")
    if chosen == "HS256":
        try:
            return SigningKey(chosen, fit_key(content, chosen, where), where)
        except ValueError as error:
            raise KeyUnusable(str(error)) from None
    if b"PUBLIC KEY-----" in content:
        raise KeyUnusable(
            f"{where} holds a public key, which only checks tokens; signing needs the private key, as PEM"
        )
    if b"PRIVATE KEY-----" not in content:
        raise KeyUnusable(f"{where} holds no private key; RS256 signs with the private key, as PEM")
    return SigningKey(chosen, content + b"\n", where)


def signed_token(request: TokenRequest, key: SigningKey, now_s: int) -> str:
    """A token that begins at `now_s`, seconds of the epoch. Raises ValueError for the request, KeyUnusable."""
    import jwt

    if not 1 <= len(request.user) <= MAX_USER_ID or not request.user.isprintable():
        raise ValueError(f"a user's name has 1 to {MAX_USER_ID} printable characters")
    claims: dict[str, object] = {"sub": request.user, "iat": now_s, "exp": now_s + request.expires_s}
    claims |= {"iss": request.issuer} if request.issuer else {}
    claims |= {"aud": request.audience} if request.audience else {}
    try:
        return jwt.encode(claims, key.text, algorithm=key.algorithm)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        # TypeError: cryptography's for a key that is encrypted.
        kind = "encrypted, or " if isinstance(error, TypeError) else ""
        raise KeyUnusable(f"{key.where} holds a key that is {kind}of no use for {key.algorithm}") from None


def write_secret(path: Path) -> None:
    """Write a new secret that only its owner may read. Raises KeyUnusable; a file that is there is never replaced."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(handle, "w", encoding="ascii") as file:  # noqa: PTH123 (the descriptor's own mode is what counts)
            file.write(secrets.token_urlsafe(_SECRET_BYTES) + "\n")
    except FileExistsError:
        raise KeyUnusable(f"{path} is there already; a secret is never replaced, for its tokens would end") from None
    except OSError as error:
        raise KeyUnusable(f"cannot write {path}: {error.strerror or error}") from None


def _file_content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            problem = shared_with(file.fileno())
            if problem:
                raise KeyUnusable(f"{path}: {problem}; run: chmod 600 {path}")
            return file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise KeyUnusable(f"cannot read the key in {path}: {error.strerror or error}") from None
