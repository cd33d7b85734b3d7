"""`make calendars`: the datafeed's tables of trading days, from exchange_calendars.

python -m trading_api.codegen.calendars [FOLDER]
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path

from trading_api.codegen.calendar_source import SourceCalendar, TradingDay, read_source, source_aliases, source_codes
from trading_api.codegen.files import FilePlan
from trading_api.shared.registry import PACKAGE_FOLDER

TABLES = PACKAGE_FOLDER / "modules" / "datafeed" / "calendars" / "tables"
ALIASES = "aliases.txt"
# What the newest days have in common is taken for regular; a weekday that comes less often than monthly is not.
_RECENT_DAYS = 260
_OFTEN = 12


def main() -> int:
    """Write the tables, into FOLDER if one is given."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else TABLES
    changes = planned(folder).apply()
    for change in changes:
        print(f"{change.state} {change.path.name}")
    print(f"{len(changes)} of {len(source_codes()) + 1} tables changed")
    return 0


def planned(folder: Path) -> FilePlan:
    """All tables as they must be in `folder`."""
    head = f"# Written by make calendars from exchange_calendars {_version()}; not to be edited.\n"
    plan = FilePlan()
    names = {f"{code.replace('/', '-')}.txt": head + table(read_source(code)) for code in source_codes()}
    aliases = "".join(f"{alias} {code}\n" for alias, code in source_aliases().items())
    plan.add(folder, {**names, ALIASES: head + aliases})
    return plan


def _version() -> str:
    return importlib.metadata.version("exchange-calendars")


def table(source: SourceCalendar) -> str:
    """One calendar as text; `modules/datafeed/calendars/table.py` says how to read it."""
    recent = source.days[-_RECENT_DAYS:]
    # The commonest hours; of two as common as each other, those of the newest day.
    opening, closing = Counter((day.open, day.close) for day in reversed(recent)).most_common(1)[0][0]
    weekdays = Counter(day.date.weekday() for day in recent)
    week = {weekday for weekday, count in weekdays.items() if count >= _OFTEN}
    lines = [
        f"zone {source.zone}",
        f"known {source.first} {source.last}",
        f"regular {opening} {closing} {''.join(str(weekday + 1) for weekday in sorted(week))}",
        *_by_year("closed", ((day, day) for day in _closed(source, week))),
        *_by_year("extra", ((day.date, day.date) for day in source.days if day.date.weekday() not in week)),
        *_unusual(source.days, (opening, closing)),
    ]
    return "\n".join(lines) + "\n"


def _closed(source: SourceCalendar, week: set[int]) -> Iterator[date]:
    open_days = {day.date for day in source.days}
    for number in range((source.last - source.first).days + 1):
        day = source.first + timedelta(days=number)
        if day.weekday() in week and day not in open_days:
            yield day


def _unusual(days: Iterable[TradingDay], regular: tuple[int, int]) -> Iterator[str]:
    """Trading days that follow each other with the same hours within a year are one stretch."""
    stretches: dict[tuple[int, int], list[tuple[date, date]]] = defaultdict(list)
    for (*hours, _), group in groupby(days, key=lambda day: (day.open, day.close, day.date.year)):
        same = [day.date for day in group]
        stretches[hours[0], hours[1]].append((same[0], same[-1]))
    for (opening, closing), spans in sorted(stretches.items()):
        if (opening, closing) != regular:
            yield from _by_year(f"hours {opening} {closing}", spans)


def _by_year(key: str, spans: Iterable[tuple[date, date]]) -> Iterator[str]:
    for year, group in groupby(spans, key=lambda span: span[0].year):
        yield " ".join([key, str(year), *(_span_text(*span) for span in group)])


def _span_text(first: date, last: date) -> str:
    return f"{first:%m%d}" if first == last else f"{first:%m%d}-{last:%m%d}"


if __name__ == "__main__":
    sys.exit(main())
