"""Search among 20,000 instruments: against a plain scan of the list, and against rapidfuzz over the same texts."""

import random
import re
import statistics
import string
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.result import Result, ratios
from rapidfuzz import fuzz, process
from support.project import Project

from trading_api.modules.datafeed.instruments.directory import InstrumentDirectory
from trading_api.modules.datafeed.instruments.instrument import Instrument
from trading_api.modules.datafeed.instruments.search import search
from trading_api.modules.datafeed.instruments.search_index import SearchIndex

INSTRUMENTS = 20_000
SHOWN = 30
_QUERIES, _SLOW_QUERIES = 500, 10
_FINDS = 100_000
_WORD_BREAK = re.compile(r"[^0-9A-Z]+")
_WORDS = re.findall(
    r"\w+",
    "American Apple Auto Bank Bio Bond Brands Capital Cloud Copper Data Electric Energy Equity Financial First Foods "
    "Fund Gas General Global Gold Growth Health Holdings Income Industries Insurance International Life Logistics "
    "Macro Marine Media Medical Micro Mining Motor National Oil Partners Petroleum Pharma Power Rail Realty Resources "
    "Retail Robotics Semiconductor Silver Soft Solar Steel Systems Tech Therapeutics Trust United Value Water Wireless",
)
_FORMS = ["Inc.", "Corp.", "Ltd.", "PLC", "Group", "Trust", "ETF", "Company", "Holdings"]

_NAMES = {"scan": "a scan of the list", "rapidfuzz": "rapidfuzz.process.extract"}

Search = Callable[[str], object]


class Nobody:
    """A store without instruments."""

    def all(self) -> list[Instrument]:
        return []

    def version(self) -> None:
        return None


def run(_: Project, runs: int) -> Iterator[Result]:
    """The time of usual searches, and of those that others take for the same; finding a symbol by its name."""
    instruments = made_up(INSTRUMENTS)
    index = SearchIndex(instruments)
    texts = [f"{one.name} {one.description}".upper() for one in instruments]
    searches: dict[str, Search] = {
        "index": lambda text: search(index, text, limit=SHOWN),
        "scan": lambda text: scan(instruments, text, SHOWN),
        "rapidfuzz": lambda text: process.extract(text.upper(), texts, scorer=fuzz.WRatio, limit=SHOWN),
    }
    # What is made by the first search that needs it does not count.
    for text in typed(instruments, seed=0):
        searches["index"](text)
    highest, medians = [], {name: list[float]() for name in searches}
    for number in range(runs):
        queries = typed(instruments, seed=number + 1)
        for name, function in searches.items():
            times = measured(function, queries if name == "index" else queries[:: _QUERIES // _SLOW_QUERIES])
            medians[name].append(statistics.median(times))
            if name == "index":
                highest.append(statistics.quantiles(times, n=100)[98])
    yield Result("search of 20,000 symbols, 99th percentile", tuple(highest), "ms", limit=5)
    yield Result("search of 20,000 symbols, median", tuple(medians["index"]), "ms")
    for name in ("scan", "rapidfuzz"):
        yield Result(
            f"the same by {_NAMES[name]} / ours", ratios(medians[name], medians["index"]), "x", 1, at_least=True
        )
    yield Result("index of 20,000 symbols, made", tuple(building(instruments) for _ in range(runs)), "ms")
    yield Result("finding a known name among 20,000", tuple(finding(instruments) for _ in range(runs)), "us", limit=1)


def made_up(count: int) -> list[Instrument]:
    """So many instruments with names and descriptions like real ones; always the same."""
    drawn = random.Random(1)
    names: dict[str, None] = {}
    while len(names) < count:
        name = "".join(drawn.choices(string.ascii_uppercase, k=drawn.choice([2, 3, 3, 4, 4, 4, 5])))
        names[name if name not in names else f"{name}.{drawn.choice('ABCW')}"] = None
    return [_instrument(name, drawn) for name in names]


def _instrument(name: str, drawn: random.Random) -> Instrument:
    own = "".join(drawn.choices("aeioubcdfglmnprstvz", k=drawn.randint(4, 9))).capitalize()
    words = [own] * (drawn.random() < 0.6) + drawn.sample(_WORDS, drawn.randint(1, 3)) + [drawn.choice(_FORMS)]
    exchange, kind = drawn.choice(["NASDAQ", "NYSE", "ARCA"]), drawn.choice(["stock", "stock", "fund"])
    return Instrument(name, exchange, kind, " ".join(words), "0930-1600", "America/New_York", 100, 1, 0, "XNYS")


def typed(instruments: Sequence[Instrument], *, seed: int) -> list[str]:
    """What people type: names and their beginnings, words and theirs, several words, and slips of the finger."""
    drawn = random.Random(seed)
    return [_typed(drawn.choice(instruments), drawn) for _ in range(_QUERIES)]


def _typed(one: Instrument, drawn: random.Random) -> str:
    word = drawn.choice(one.description.split())
    place = drawn.randrange(len(word) - 1)
    return drawn.choice(
        [
            one.name,
            one.name[: drawn.randint(1, 3)],
            word,
            word[: drawn.randint(2, 5)],
            one.description,
            f"{one.exchange}:{one.name[:2]}",
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        ]
    )


def measured(function: Search, queries: Sequence[str]) -> list[float]:
    """Milliseconds of each."""
    times = []
    for text in queries:
        started = time.perf_counter()
        function(text)
        times.append((time.perf_counter() - started) * 1000)
    return times


def building(instruments: Sequence[Instrument]) -> float:
    """Milliseconds."""
    started = time.perf_counter()
    SearchIndex(instruments)
    return (time.perf_counter() - started) * 1000


def finding(instruments: Sequence[Instrument]) -> float:
    """Microseconds of one."""
    directory = InstrumentDirectory(instruments, Nobody())
    name = instruments[len(instruments) // 2].name
    directory.find(name)
    started = time.perf_counter()
    for _ in range(_FINDS):
        directory.find(name)
    return (time.perf_counter() - started) / _FINDS * 1e6


def scan(instruments: Sequence[Instrument], text: str, limit: int) -> list[Instrument]:
    """The ranks of one word by looking at every instrument: no accents, no several words, no misspelling."""
    wanted = text.upper()
    ranked = [(rank, one.name, one) for one in instruments if (rank := _rank(one, wanted)) is not None]
    return [one for _, _, one in sorted(ranked, key=lambda entry: entry[:2])[:limit]]


def _rank(one: Instrument, text: str) -> int | None:
    description = one.description.upper()
    tests = (
        one.name == text,
        one.name.startswith(text),
        any(word.startswith(text) for word in _WORD_BREAK.split(description)),
        text in one.name or text in description,
    )
    return next((rank for rank, passed in enumerate(tests) if passed), None)
