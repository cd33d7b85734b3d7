"""Time stamps at the start of log lines, and the merging of several logs by them."""

import heapq
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

# `[2026-11-21T02:25:33.123Z] …` (servers), `2026-11-21 02:25:33,123 …` (supervisord), `[7] 2026/11/21 02:25:33.1 …`
# (nats-server, nginx's error log), `{"time":"2026-11-21T02:25:33+00:00" …` (nginx's access log).
_STAMP = re.compile(
    r"(?:\[\d+\] )?[\[{\"a-z_: ]{0,16}"
    r"(?P<year>\d{4})(?P<dash>[-/])(?P<month>\d\d)[-/](?P<day>\d\d)[T ]"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?P<fraction>[.,]\d{1,9})?(?P<zone>Z|[+-]\d\d:?\d\d)?"
)
_EARLIEST = datetime.min.replace(tzinfo=UTC)


def stamp_of(line: str) -> datetime | None:
    """The UTC time at the start of `line`; None where there is none.

    A stamp without a zone is UTC in the servers' format, and local time in supervisord's (`,123`) and in nginx's
    and nats-server's (`2026/11/21`).
    """
    match = _STAMP.match(line)
    if match is None:
        return None
    fraction = match["fraction"] or ""
    day = "-".join((match["year"], match["month"], match["day"]))
    clock = ":".join((match["hour"], match["minute"], match["second"]))
    try:
        naive = datetime.fromisoformat(f"{day}T{clock}.{fraction[1:7].ljust(6, '0')}")
        return _in_utc(naive, match["zone"] or "", local=fraction.startswith(",") or match["dash"] == "/")
    except (ValueError, OverflowError):
        return None


def _in_utc(naive: datetime, zone: str, *, local: bool) -> datetime:
    if zone in ("", "Z"):
        return naive.astimezone(UTC) if local and not zone else naive.replace(tzinfo=UTC)
    digits = zone[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return naive.replace(tzinfo=UTC) - (offset if zone[0] == "+" else -offset)


def merge(logs: Iterable[tuple[str, Iterable[str]]]) -> Iterator[tuple[str, str]]:
    """(name, line) of several logs in the order of time; every log keeps the order of its own lines.

    A line without a stamp, such as one of a traceback, stays with the line before it; at the start of a log, with the
    first line that has one.
    """
    order = count()
    entries = [list(_entries(name, list(lines), next(order))) for name, lines in logs]
    for _, _, name, line in heapq.merge(*entries, key=lambda entry: entry[:2]):
        yield name, line


def _entries(name: str, lines: list[str], order: int) -> Iterator[tuple[datetime, int, str, str]]:
    latest = next((stamp for line in lines if (stamp := stamp_of(line))), _EARLIEST)
    for line in lines:
        latest = max(latest, stamp_of(line) or latest)
        yield latest, order, name, line
