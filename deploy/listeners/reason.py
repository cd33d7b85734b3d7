"""Why a process died, in one line, from the end of its log."""

import re
from pathlib import Path

_TAIL_BYTES = 16 * 1024
_LONGEST = 300
_ERROR_LINE = re.compile(r"^\[[^\]]+\] \[(?:ERROR|CRITICAL)\] (?P<message>.+)$")
_EXCEPTION_LINE = re.compile(r"^(?:[A-Za-z_][\w.]*)?(?:Error|Exception|Exit|Interrupt|Warning)\b.*$")


def last_reason(log: Path, since: int = 0) -> str:
    """The last exception or ERROR line of `log`, else its last line; empty when there is nothing to read.

    What stands before the byte `since` does not count.
    """
    lines = [line for line in tail_text(log, since).splitlines() if line.strip()]
    for line in reversed(lines):
        match = _ERROR_LINE.match(line)
        if match or _EXCEPTION_LINE.match(line):
            return (match["message"] if match else line)[:_LONGEST]
    return lines[-1].strip()[:_LONGEST] if lines else ""


def tail_text(log: Path, since: int = 0) -> str:
    """The last 16 KiB of `log`, from the byte `since` on; empty when it cannot be read."""
    try:
        with log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(since, file.tell() - _TAIL_BYTES))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
