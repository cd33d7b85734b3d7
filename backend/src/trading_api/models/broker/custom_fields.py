"""What a client adds to an order for itself."""

import json
import math
import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, JsonValue

MAX_BYTES = 8192
_MAX_DEPTH = 16
_SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a pair: JSON can spell it (`"\\ud800"`), but it is no character, and no UTF-8 holds it."""


def _checked(value: object) -> object:
    """Plain JSON of bounded size: it is kept with the order for ever, and sent with each of its updates."""
    plain = _plain(value, _MAX_DEPTH)
    if len(json.dumps(plain, ensure_ascii=False).encode(errors="replace")) > MAX_BYTES:
        raise ValueError(f"more than {MAX_BYTES} bytes")
    return plain


def _plain(value: object, depth: int) -> object:
    """Fractions as floats: they are exact decimals until it is known that nobody reckons with them."""
    if depth < 0:
        raise ValueError(f"nested more than {_MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        return {_text(key): _plain(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, depth - 1) for item in value]
    number = float(value) if isinstance(value, Decimal) else value
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError("a number is not finite")
    return _text(number)


def _text(value: object) -> object:
    if isinstance(value, str) and _SURROGATE.search(value):
        raise ValueError("a text holds half of a surrogate pair, which is no character")
    return value


def readable(value: object) -> object:
    """What the store holds, fit to be sent: what is no character is replaced. Orders of old may have such texts."""
    if isinstance(value, dict):
        return {readable(key): readable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [readable(item) for item in value]
    return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", value) if isinstance(value, str) else value


CustomFields = Annotated[dict[str, JsonValue], BeforeValidator(_checked)]
"""TradingView's CustomInputFieldsValues: names and values that mean nothing to the broker."""
