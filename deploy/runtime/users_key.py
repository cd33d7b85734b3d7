"""The key that tokens of users are checked with, looked at before anything starts."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from deploy.errors import DeployError
from deploy.schema import UsersConfig

_LEAST_SECRET = 32
_LEAST_RSA_BITS = 2048
_MOST_BYTES = 16 * 1024
_SSH = (b"ssh-", b"ecdsa-sha2-")


class KeyRefused(DeployError):
    """The key that `users.key_file` or `users.key_env` names is of no use to the servers. Nothing was started."""


def check_users_key(users: UsersConfig, folder: Path, environ: Mapping[str, str]) -> None:
    """Raise KeyRefused where the servers would refuse the key, by the rules of `trading_api.user_settings`.

    A relative file begins at `folder`; `environ` is what the tree would inherit. The key itself is never repeated.
    """
    if users.mode == "none":
        return
    if users.key_file is not None:
        key, problem = "users.key_file", _file_problem(folder / users.key_file, users)
    else:
        key, problem = "users.key_env", _variable_problem(users.key_env or "", users, environ)
    if problem:
        raise KeyRefused(f"{key}: {problem}; nothing was started or changed")


def _file_problem(path: Path, users: UsersConfig) -> str:
    name = users.key_file or ""
    try:
        with path.open("rb") as file:
            shared = _shared(name, os.fstat(file.fileno())) if users.algorithm == "HS256" else ""
            return shared or _no_key(name, file.read(_MOST_BYTES + 1), users)
    except OSError as error:
        return f"cannot read {name}: {error.strerror}"


def _variable_problem(name: str, users: UsersConfig, environ: Mapping[str, str]) -> str:
    if not environ.get(name):
        return f"the environment has no variable {name}"
    return _no_key(f"the variable {name}", os.fsencode(environ[name]), users)


def _shared(name: str, status: os.stat_result) -> str:
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o077:
        return f"others may read the secret in {name} (mode {mode:04o}); run: chmod 600 {name}"
    if status.st_uid not in (0, os.geteuid()):
        return f"{name} belongs to another user (uid {status.st_uid}); only its own user's secret is used"
    return ""


def _no_key(name: str, content: bytes, users: UsersConfig) -> str:
    if len(content) > _MOST_BYTES:
        return f"{name} holds more than {_MOST_BYTES} bytes, which is no key"
    return _no_secret(name, content.strip()) if users.algorithm == "HS256" else _no_public_key(name, content)


def _no_secret(name: str, secret: bytes) -> str:
    if b"-----BEGIN" in secret:
        return f"{name} holds a PEM; HS256 needs a secret, and algorithm: RS256 a public key"
    if secret.startswith(_SSH):
        return f"{name} holds a public key of SSH; HS256 needs a secret"
    if b"\n" in secret or b"\r" in secret:
        return f"{name} holds several lines; a secret is one"
    if len(secret) < _LEAST_SECRET:
        make = "python -m trading_api token --new-secret FILE makes one"
        return f"the secret in {name} has {len(secret)} bytes; HS256 needs at least {_LEAST_SECRET} ({make})"
    return ""


def _no_public_key(name: str, content: bytes) -> str:
    if b"PRIVATE KEY-----" in content:
        return f"{name} holds a private key; servers need only the public one, which it belongs to"
    if b"PUBLIC KEY-----" not in content:
        return f"{name} holds no public key: RS256 needs a PEM that begins with -----BEGIN PUBLIC KEY-----"
    return _no_rsa_key(name, content)


def _no_rsa_key(name: str, content: bytes) -> str:
    # Imported here, for it takes longer than most commands may.
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(content.strip() + b"\n")
    except (ValueError, UnsupportedAlgorithm):
        return f"{name} holds no public key that can be read: RS256 needs the PEM of an RSA key"
    if not isinstance(key, RSAPublicKey):
        return f"{name} holds the key of another algorithm: RS256 needs an RSA key"
    if key.key_size < _LEAST_RSA_BITS:
        return f"the RSA key in {name} has {key.key_size} bits; RS256 needs at least {_LEAST_RSA_BITS}"
    return ""
