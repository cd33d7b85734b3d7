"""Escaping for nginx.conf: the one place that knows how nginx reads a parameter."""

import re

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=-]+")

_MAP_WORDS = frozenset({"default", "hostnames", "include", "volatile"})


class UnrepresentableError(ValueError):
    """A text that nginx.conf cannot hold."""


def quote(text: str) -> str:
    """`text` as one parameter, taken as it is by directives that know no variables.

    Raises UnrepresentableError for control characters. Where a directive knows variables, use `literal`.
    """
    if any(ord(character) < 32 or ord(character) == 127 for character in text):
        raise UnrepresentableError(f"nginx.conf cannot hold a control character: {text!r}")
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def map_key(text: str) -> str:
    """`text` as a source value of `map`, which gives some words a meaning of their own."""
    return f"\\{text}" if text in _MAP_WORDS else quote(text)


def literal(text: str) -> str:
    """As `quote`, for directives in which `$` starts a variable: nginx has no escape for it.

    Raises UnrepresentableError where `text` holds a `$`.
    """
    if "$" in text:
        raise UnrepresentableError(f"nginx would read the $ in {text!r} as a variable")
    return quote(text)
