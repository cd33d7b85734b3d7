"""Durations and sizes as people write them: `3s`, `500ms`, `10MB`."""

import re

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_SIZE = re.compile(r"(\d+)\s*(B|KB|MB|GB)", re.IGNORECASE)
_BYTES = {"B": 1, "KB": 1024, "MB": 1024**2, "GB": 1024**3}


def parse_duration(text: str) -> float:
    """Seconds in `text`, such as `500ms`, `3s`, `2m`. Raises ValueError for anything else."""
    match = _DURATION.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration; write a number with ms, s or m, such as 3s")
    return float(match[1]) * _SECONDS[match[2]]


def parse_size(text: str) -> int:
    """Bytes in `text`, such as `64KB`, `10MB` (1 KB is 1024 bytes). Raises ValueError for anything else."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no size; write a whole number with B, KB, MB or GB, such as 10MB")
    return int(match[1]) * _BYTES[match[2].upper()]


def format_bytes(count: int) -> str:
    """`count` bytes for a table: `512 KiB`, `41.3 MiB`."""
    if count < 1024**2:
        return f"{count / 1024:.0f} KiB"
    return f"{count / 1024**2:.1f} MiB"


def format_duration(seconds: float) -> str:
    """`seconds` for a table: `4s`, `2m 05s`, `3h 07m`, `2d 04h`."""
    whole = int(seconds)
    for size, small, unit, small_unit in ((86400, 3600, "d", "h"), (3600, 60, "h", "m"), (60, 1, "m", "s")):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // small:02d}{small_unit}"
    return f"{whole}s"
