"""Tells two requests under one Idempotency-Key apart."""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal

from pydantic import BaseModel


def body_hash(operation: str, *parts: BaseModel | Decimal | str | None) -> str:
    """SHA-256 of what is asked for, in one form: the order of members, absent or null, 1.0 or 1 make no difference."""
    content = [_plain(part) for part in parts]
    text = json.dumps([operation, *content], sort_keys=True, separators=(",", ":"), default=_number)
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(part: BaseModel | Decimal | str | None) -> object:
    return part.model_dump(exclude_none=True) if isinstance(part, BaseModel) else part


def _number(value: object) -> str:
    """Exact, whatever its size: no arithmetic, which would round, and no zeros of 1E-999999999 written out."""
    if not isinstance(value, Decimal):
        raise TypeError(f"no part of a request: {value!r}")
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int), "a finite number"
    written = "".join(map(str, digits))
    short = written.rstrip("0").lstrip("0")
    if not short:
        return "0"
    return f"{'-' if sign else ''}{short}E{exponent + len(written) - len(written.rstrip('0'))}"
