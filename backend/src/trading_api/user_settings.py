"""Who may ask: the part of the settings that is about users and the origins of their pages."""

import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trading_api.variables import hint

USER_MODES = ("none", "jwt")
ALGORITHMS = ("RS256", "HS256")
MIN_SECRET_BYTES = 32
"""RFC 7518, 3.2: a key of HS256 is at least as long as its hash."""
MAX_KEY_BYTES = 16 * 1024
MAX_ORIGINS = 100
# RFC 6454: scheme, host and port; browsers write both in lower case, and leave a scheme's own port out.
_ORIGIN = re.compile(r"(https?)://([a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::([1-9][0-9]{0,4}))?")
_OWN_PORTS = {"http": "80", "https": "443"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")


@dataclass(frozen=True, slots=True)
class UserSettings:
    """`mode` none: whoever asks is the one user "default". jwt: tokens signed with `algorithm` tell.

    `key` is what signatures are checked with: the PEM of a public key (RS256), or a secret (HS256); `key_source` says
    where it came from. `issuer` and `audience`, where set, are what a token's `iss` and `aud` must be.
    """

    mode: str = "none"
    algorithm: str = "RS256"
    key: bytes = field(default=b"", repr=False)
    key_source: str = ""
    issuer: str = ""
    audience: str = ""


def read_user_settings(environ: Mapping[str, str]) -> tuple[UserSettings, tuple[str, ...]]:
    """The users that `environ` asks for, with what is wrong with it. The key is read only where tokens are checked."""
    mode = environ.get("TRADING_USERS_MODE", "").strip() or USER_MODES[0]
    algorithm = environ.get("TRADING_USERS_ALGORITHM", "").strip() or ALGORITHMS[0]
    problems = [
        *_unknown("TRADING_USERS_MODE", "mode", mode, USER_MODES),
        *_unknown("TRADING_USERS_ALGORITHM", "algorithm", algorithm, ALGORITHMS),
    ]
    key, source = b"", ""
    if mode == "jwt" and not problems:
        try:
            key, source = _key_of(environ, algorithm)
        except ValueError as error:
            problems.append(str(error))
    settings = UserSettings(
        mode=mode,
        algorithm=algorithm,
        key=key,
        key_source=source,
        issuer=environ.get("TRADING_USERS_ISSUER", "").strip(),
        audience=environ.get("TRADING_USERS_AUDIENCE", "").strip(),
    )
    return settings, tuple(problems)


def read_origins(environ: Mapping[str, str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The origins in TRADING_ALLOWED_ORIGINS, separated by commas, as browsers write them; and what is wrong there."""
    parts = [part.strip() for part in environ.get("TRADING_ALLOWED_ORIGINS", "").split(",") if part.strip()]
    origins, problems = list[str](), list[str]()
    for part in parts:
        try:
            origins.append(parse_origin(part))
        except ValueError as error:
            problems.append(f"TRADING_ALLOWED_ORIGINS: {error}")
    if len(parts) > MAX_ORIGINS:
        problems.append(f"TRADING_ALLOWED_ORIGINS: {len(parts)} origins; at most {MAX_ORIGINS}")
    return tuple(dict.fromkeys(origins)), tuple(problems)


def parse_origin(text: str) -> str:
    """An origin as browsers write it (RFC 6454, 6.2): `https://Shop.example:443` is `https://shop.example`.

    Raises ValueError.
    """
    match = _ORIGIN.fullmatch(text.lower())
    if match is None or int(match[3] or 1) > 65535:
        raise ValueError(f"{text!r} is not an origin; write it as https://app.example.com, without a path")
    scheme, host, port = match.groups()
    return f"{scheme}://{host}" if port in (None, _OWN_PORTS[scheme]) else f"{scheme}://{host}:{port}"


def _unknown(variable: str, what: str, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    if text in known:
        return ()
    return (f"{variable}: unknown {what} {text!r}; {hint(text, known)}",)


def _key_of(environ: Mapping[str, str], algorithm: str) -> tuple[bytes, str]:
    """The key and where it was. Raises ValueError, which never repeats what the key holds."""
    file = environ.get("TRADING_USERS_KEY_FILE", "")
    name = environ.get("TRADING_USERS_KEY_ENV", "").strip()
    if bool(file) == bool(name):
        raise ValueError(
            "TRADING_USERS_MODE: jwt needs one key: set either TRADING_USERS_KEY_FILE or TRADING_USERS_KEY_ENV"
        )
    if file:
        return read_key_file(Path(file), algorithm), f"the file {file}"
    return _from_environment(environ, name, algorithm), f"the environment variable {name}"


def _from_environment(environ: Mapping[str, str], name: str, algorithm: str) -> bytes:
    if not _NAME.fullmatch(name):
        # Not repeated: somebody may have put the key itself here.
        raise ValueError("TRADING_USERS_KEY_ENV: not the name of an environment variable")
    text = environ.get(name, "")
    if not text:
        raise ValueError(f"TRADING_USERS_KEY_ENV: the environment has no variable {name}")
    return fit_key(text.encode(errors="surrogateescape"), algorithm, f"the environment variable {name}")


def read_key_file(path: Path, algorithm: str) -> bytes:
    """The key in a file. Raises ValueError: it cannot be read, others may read a secret, or it is none."""
    try:
        with path.open("rb") as file:
            problem = shared_with(file.fileno()) if algorithm == "HS256" else ""
            if problem:
                raise ValueError(f"{path}: {problem}; run: chmod 600 {path}")
            content = file.read(MAX_KEY_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot read the key in {path}: {error.strerror or error}") from None
    return fit_key(content, algorithm, str(path))


def shared_with(descriptor: int) -> str:
    """Who else may read an open file that holds a secret, in words; nobody: empty."""
    status = os.fstat(descriptor)
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        return f"others may read the secret in it (mode {mode:04o})"
    if status.st_uid not in (0, os.geteuid()):
        return f"it belongs to another user (uid {status.st_uid})"
    return ""


def fit_key(content: bytes, algorithm: str, where: str) -> bytes:
    """`content` as a key to check signatures of `algorithm` with, as far as can be told by its look.

    Raises ValueError, which names `where` and never repeats the content.
    """
    if len(content) > MAX_KEY_BYTES:
        raise ValueError(f"{where} holds more than {MAX_KEY_BYTES} bytes, which is no key")
    return _CHECKS[algorithm](content, where)


def _secret(content: bytes, where: str) -> bytes:
    secret = content.strip()
    if b"-----BEGIN" in secret:
        raise ValueError(f"{where} holds a PEM; HS256 needs a secret, and algorithm RS256 a public key")
    if secret.startswith((b"ssh-", b"ecdsa-sha2-")):
        raise ValueError(f"{where} holds a public key of SSH; HS256 needs a secret")
    if b"\n" in secret or b"\r" in secret:
        raise ValueError(f"{where} holds several lines; a secret is one")
    if len(secret) < MIN_SECRET_BYTES:
        raise ValueError(
            f"the secret in {where} has {len(secret)} bytes; HS256 needs at least {MIN_SECRET_BYTES} "
            "(python -m trading_api token --new-secret FILE makes one)"
        )
    return secret


def _public_key(content: bytes, where: str) -> bytes:
    if b"PRIVATE KEY-----" in content:
        raise ValueError(f"{where} holds a private key; a server needs only the public one, which it belongs to")
    if b"PUBLIC KEY-----" not in content:
        raise ValueError(f"{where} holds no public key: RS256 needs a PEM that begins with -----BEGIN PUBLIC KEY-----")
    return content.strip() + b"\n"


_CHECKS: Mapping[str, Callable[[bytes, str], bytes]] = {"HS256": _secret, "RS256": _public_key}
