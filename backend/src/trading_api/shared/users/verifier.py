"""Checks tokens. PyJWT, which takes a while to import, is imported only where tokens are checked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from trading_api.shared.users.claims import Claims, read_claims
from trading_api.shared.users.errors import KeyUnusable, TokenRefused
from trading_api.user_settings import MIN_SECRET_BYTES, UserSettings

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

MIN_RSA_BITS = 2048
"""RFC 7518, 3.3."""
# A client shows the same token with each request; checking a signature costs more than the rest of the gate.
_REMEMBERED = 1024
_KNOWN_ALGORITHMS = frozenset(f"{family}{bits}" for family in ("HS", "RS", "ES", "PS") for bits in (256, 384, 512))


class Verifier:
    """Tells whose a token is. The algorithm is the configured one, whatever a token says of itself (RFC 8725, 3.1)."""

    def __init__(self, settings: UserSettings, clock: Callable[[], float] = time.time) -> None:
        """`clock` tells seconds of the epoch. Raises KeyUnusable."""
        from jwt import PyJWS

        self._algorithm = settings.algorithm
        self._issuer = settings.issuer
        self._audience = settings.audience
        self._clock = clock
        self._jws = PyJWS(algorithms=[settings.algorithm])
        self._key = _rsa_key(settings) if settings.algorithm == "RS256" else _secret(settings)
        # Refusals are not remembered, so nobody can push out what is valid.
        self._remembered: Callable[[str], Claims] = lru_cache(maxsize=_REMEMBERED)(self._signed_claims)

    def check(self, token: str) -> Claims:
        """What `token` says. Raises TokenRefused with what is wrong with it."""
        claims = self._remembered(token)
        claims.check(self._clock())
        return claims

    def _signed_claims(self, token: str) -> Claims:
        payload = self._signed_payload(token)
        return read_claims(payload, issuer=self._issuer, audience=self._audience)

    def _signed_payload(self, token: str) -> bytes:
        from jwt import InvalidSignatureError, PyJWTError

        try:
            self._check_header(self._jws.get_unverified_header(token))
            payload = self._jws.decode(token, self._key, algorithms=[self._algorithm])
        except InvalidSignatureError:
            raise TokenRefused("The token's signature is wrong: it was made with another key, or changed.") from None
        # Whatever else is wrong with the text of a token, such as an extension (`crit`), is its sender's affair.
        except (PyJWTError, ValueError, RecursionError):
            raise TokenRefused("The token is not a JSON Web Token that this server can read.") from None
        if not isinstance(payload, bytes):
            raise TokenRefused("The token holds no JSON.")
        return payload

    def _check_header(self, header: Mapping[str, Any]) -> None:
        algorithm = header.get("alg")
        if algorithm != self._algorithm:
            # Only known names are repeated: the header is the sender's.
            known = isinstance(algorithm, str) and algorithm in _KNOWN_ALGORITHMS
            named = algorithm if known else "another algorithm"
            raise TokenRefused(f"The token is signed with {named}; this server takes {self._algorithm} only.")


def _secret(settings: UserSettings) -> bytes:
    from jwt.algorithms import HMACAlgorithm
    from jwt.exceptions import InvalidKeyError

    source = settings.key_source or "the key"
    if len(settings.key) < MIN_SECRET_BYTES:
        raise KeyUnusable(f"the secret in {source} has less than {MIN_SECRET_BYTES} bytes")
    try:
        return HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(settings.key)
    except InvalidKeyError:
        raise KeyUnusable(f"{source} holds a public key; HS256 needs a secret") from None


def _rsa_key(settings: UserSettings) -> RSAPublicKey:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    source = settings.key_source or "the key"
    try:
        key = load_pem_public_key(settings.key)
    except (ValueError, UnsupportedAlgorithm):
        raise KeyUnusable(f"{source} holds no public key that can be read: RS256 needs the PEM of an RSA key") from None
    if not isinstance(key, RSAPublicKey):
        raise KeyUnusable(f"{source} holds the key of another algorithm: RS256 needs an RSA key")
    if key.key_size < MIN_RSA_BITS:
        raise KeyUnusable(f"the RSA key in {source} has {key.key_size} bits; RS256 needs at least {MIN_RSA_BITS}")
    return key
