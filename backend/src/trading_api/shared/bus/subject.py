"""Subjects: what is one, and which pattern matches it."""

import re

from trading_api.shared.bus.errors import SubjectError

MAX_LENGTH = 255
# Printable ASCII without space, dot and the wildcards.
_PART = r"[!-)+-\-/-=?-~]+"
_SUBJECT = re.compile(rf"{_PART}(\.{_PART})*", re.ASCII)
_PATTERN = re.compile(rf"((\*|{_PART})\.)*(\*|>|{_PART})", re.ASCII)


def check_subject(subject: str) -> None:
    """Raises SubjectError unless messages can be sent on `subject`.

    >>> check_subject("datafeed.quotes")
    """
    if len(subject) > MAX_LENGTH or not _SUBJECT.fullmatch(subject):
        raise SubjectError(f"{_shown(subject)} is no subject: dot-separated tokens of printable ASCII")


def check_pattern(pattern: str) -> None:
    """Raises SubjectError unless one can subscribe to `pattern`.

    >>> check_pattern("datafeed.*.AAPL"); check_pattern("datafeed.>")
    """
    if len(pattern) > MAX_LENGTH or not _PATTERN.fullmatch(pattern):
        raise SubjectError(
            f"{_shown(pattern)} is no pattern: dot-separated tokens of printable ASCII, * for one token, > for the rest"
        )


def has_wildcards(pattern: str) -> bool:
    """Whether a checked pattern matches more than one subject."""
    return "*" in pattern or ">" in pattern


def matches(pattern: str, subject: str) -> bool:
    """Whether messages on `subject` reach those that subscribed to `pattern`, both checked.

    >>> matches("bars.*", "bars.AAPL"), matches("bars.>", "bars.AAPL.1"), matches("bars.>", "bars")
    (True, True, False)
    """
    wanted, tokens = pattern.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted.pop()
        if len(tokens) <= len(wanted):
            return False
        tokens = tokens[: len(wanted)]
    return len(wanted) == len(tokens) and all(w in ("*", t) for w, t in zip(wanted, tokens, strict=True))


def _shown(subject: str) -> str:
    return repr(subject if len(subject) <= 64 else f"{subject[:64]}…")
