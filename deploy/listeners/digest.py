"""A value compared without being shown: its digest, under a key that whoever asks makes for this one question."""

import hmac
import os


def digest_of(value: str, nonce: str) -> str:
    """HMAC-SHA256 of an environment variable's `value`, keyed with `nonce`, in hex; empty for an empty value."""
    return hmac.digest(nonce.encode(), os.fsencode(value), "sha256").hex() if value else ""
