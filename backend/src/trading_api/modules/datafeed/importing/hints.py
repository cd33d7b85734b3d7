"""What people probably meant by text that cannot be read."""

from __future__ import annotations

import re

_DECIMAL_COMMA = re.compile(r"[+-]?\d*,\d+", re.ASCII)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}([, '_]\d{3})+(\.\d*)?", re.ASCII)
_CURRENCY = re.compile(r"[$€£¥].*|.*[$€£¥%]")
_YEAR_LAST = re.compile(r"\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}(\D.*)?", re.ASCII)
_SHORT_PARTS = re.compile(r"\d{4}[/.-](\d[/.-]\d{1,2}|\d\d[/.-]\d)(\D.*)?", re.ASCII)
_TWELVE_HOURS = re.compile(r".*\d\s*[AP]\.?M\.?", re.IGNORECASE)
_MANY_DECIMALS = re.compile(r"[+-]?\d*\.\d{15,}(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
_FINE_EPOCH = re.compile(r"\d{16,19}", re.ASCII)


def number_hint(text: str) -> str:
    """Advice on a number that was not understood, or nothing."""
    if _THOUSANDS.fullmatch(text):
        return "write it without thousands separators"
    if _DECIMAL_COMMA.fullmatch(text):
        return "write a decimal point instead of the comma"
    if _MANY_DECIMALS.fullmatch(text):
        return "it may be the noise of a binary float; round the column before the import"
    return "write the number alone" if _CURRENCY.fullmatch(text) else ""


def time_hint(text: str) -> str:
    """Advice on a time that was not understood, or nothing."""
    if _TWELVE_HOURS.fullmatch(text):
        return "write hours from 0 to 23"
    if _YEAR_LAST.fullmatch(text):
        return "it may be day/month or month/day; write the year first"
    if _SHORT_PARTS.fullmatch(text):
        return "write two digits for month and day"
    return "it may be micro- or nanoseconds; write seconds or milliseconds" if _FINE_EPOCH.fullmatch(text) else ""


def with_hint(message: str, hint: str) -> str:
    return f"{message}; {hint}" if hint else message
