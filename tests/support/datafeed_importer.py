"""A process that imports minutes into a store, and stops where it is told to: for tests that kill it there.

`python -m support.datafeed_importer URL SYMBOL MINUTES [staged|locked|FRACTION [LIMIT]]`: it says where it is, and
waits there for a line on its standard input. LIMIT is the most bytes of a file, 0 any.
"""

import resource
import sys
from contextlib import closing
from dataclasses import replace

from support.datafeed_bars import ALWAYS, MINUTE, at, bar

from trading_api.modules.datafeed.bars.bar_store import open_store
from trading_api.modules.datafeed.bars.store import SeriesKey, StoreError
from trading_api.modules.datafeed.resolution import Resolution

FIRST = at("2024-01-01")


def main(url: str, symbol: str, minutes: int, pause: str = "", file_limit: int = 0) -> int:
    """0 when the import is in the store, 1 with the reason when the store refused it."""
    if file_limit:
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))
    instrument = replace(ALWAYS, name=symbol)
    try:
        with closing(open_store(url)) as store, store.staging(SeriesKey(symbol, Resolution.MINUTE_1)) as staging:
            for start in range(0, minutes, 5000):
                numbers = range(start, min(minutes, start + 5000))
                staging.add([(number, bar(FIRST + number * MINUTE, 10 + number % 9)) for number in numbers])
            staging.merge(limit=1)
            _stop("staged", pause)
            staging.compare(limit=1, lock=True)
            _stop("locked", pause)
            staging.commit(instrument, new=True, progress=lambda done: _stop_at(done, pause))
    except StoreError as error:
        print(error, flush=True)
        return 1
    print("done", flush=True)
    return 0


def _stop(where: str, pause: str) -> None:
    if where == pause:
        print(where, flush=True)
        sys.stdin.readline()


def _stop_at(done: float, pause: str) -> None:
    if pause.replace(".", "").isdecimal() and done >= float(pause):
        _stop(pause, pause)


if __name__ == "__main__":
    address, name, count, where, limit = [*sys.argv[1:], "", "0"][:5]
    sys.exit(main(address, name, int(count), where, int(limit or 0)))
