"""Names of symbols, and looking them up."""

import time
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from threading import Event, Thread

import pytest
from support.waiting import wait_until

from trading_api.modules.datafeed.instruments.catalogue import load_catalogue
from trading_api.modules.datafeed.instruments.directory import FRESH_SECONDS, InstrumentDirectory
from trading_api.modules.datafeed.instruments.instrument import Instrument, SymbolRef, check_name
from trading_api.shared.store.errors import StoreError

AAPL = next(instrument for instrument in load_catalogue() if instrument.name == "AAPL")
OTHER = replace(AAPL, name="OTHER", exchange="NYSE")


@dataclass
class Source:
    """A store of instruments that tests change, and break."""

    instruments: list[Instrument] = field(default_factory=list)
    broken: bool = False
    reads: int = 0
    asked: int = 0

    def all(self) -> list[Instrument]:
        self.reads += 1
        return list(self.instruments)

    def version(self) -> Hashable:
        self.asked += 1
        if self.broken:
            raise StoreError("away")
        return tuple(self.instruments)


@dataclass
class Clock:
    now: float = 100.0

    def __call__(self) -> float:
        # It never stands still for those who measure with it.
        self.now += 1e-9
        return self.now


class Desk:
    def __init__(self) -> None:
        self.source, self.clock = Source(), Clock()
        self.directory = InstrumentDirectory([AAPL], self.source, clock=self.clock)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("text", ["", "A B", "A/B", "Ä", "X:", "A" * 33, "_A", "N@SDAQ:A"])
def test_D02_impossible_name_for_a_new_symbol_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not valid"):
        check_name(SymbolRef.parse(text))


@pytest.mark.parametrize("text", ["AAPL", "aapl", "NASDAQ:AAPL", "nasdaq:aapl", " aapl "])
def test_D01_symbol_is_found_in_any_case_with_or_without_exchange(text: str, desk: Desk) -> None:
    assert desk.directory.find(text) == AAPL


@pytest.mark.parametrize("text", ["", ":", "AAP", "NYSE:AAPL", ":AAPL", "NASDAQ:", "AAPL:NASDAQ", "NASDAQ:NASDAQ:AAPL"])
def test_D01_unknown_symbol_is_not_found(text: str, desk: Desk) -> None:
    assert desk.directory.find(text) is None


def test_D02_symbol_without_exchange_is_found_with_an_empty_one(desk: Desk) -> None:
    desk.source.instruments = [replace(OTHER, exchange="")]
    assert desk.directory.find(":other") is not None
    assert desk.directory.find("NYSE:OTHER") is None


def test_D02_stored_instrument_replaces_the_shipped_one_of_its_name(desk: Desk) -> None:
    changed = replace(AAPL, session="0400-2000")
    assert desk.directory.is_shipped(AAPL)
    desk.source.instruments = [OTHER, changed]
    assert desk.directory.all() == [changed, OTHER]
    assert desk.directory.find("AAPL") == changed
    assert not desk.directory.is_shipped(changed)
    assert not desk.directory.is_shipped(OTHER)


def test_D02_new_symbol_is_seen_by_the_next_request(desk: Desk) -> None:
    assert desk.directory.find("OTHER") is None
    assert desk.directory.search("other", limit=5) == []
    desk.source.instruments = [OTHER]
    assert desk.directory.find("OTHER") == OTHER
    assert desk.directory.search("other", limit=5) == [OTHER]
    assert desk.directory.all() == [AAPL, OTHER]


def test_D02_changed_facts_of_a_known_symbol_are_seen_when_it_is_no_longer_fresh(desk: Desk) -> None:
    assert desk.directory.find("AAPL") == AAPL
    desk.source.instruments = [changed := replace(AAPL, session="0400-2000")]
    assert desk.directory.find("AAPL") == AAPL
    desk.clock.now += FRESH_SECONDS
    assert desk.directory.find("AAPL") == changed


def test_D02_known_symbols_cost_no_look_at_the_store_and_an_unchanged_store_no_reading(desk: Desk) -> None:
    desk.source.instruments = [OTHER]
    for _ in range(5):
        assert desk.directory.find("AAPL") == AAPL
    assert (desk.source.asked, desk.source.reads) == (1, 1)
    for _ in range(5):
        assert desk.directory.find("NOPE") is None
        assert desk.directory.search("other", limit=1) == [OTHER]
    assert (desk.source.asked, desk.source.reads) == (11, 1)


def test_D02_store_that_cannot_be_read_fails_what_needs_it(desk: Desk) -> None:
    desk.source.broken = True
    for call in (desk.directory.all, lambda: desk.directory.find("AAPL"), lambda: desk.directory.search("a", limit=1)):
        with pytest.raises(StoreError):
            call()
    desk.source.broken = False
    assert desk.directory.all() == [AAPL]


def test_D02_known_symbols_are_told_from_memory_while_the_store_is_away(desk: Desk) -> None:
    assert desk.directory.find("AAPL") == AAPL
    desk.source.broken = True
    asked = desk.source.asked
    for _ in range(10):
        desk.clock.now += FRESH_SECONDS
        assert desk.directory.find("AAPL") == AAPL
    assert desk.source.asked == asked + 1
    with pytest.raises(StoreError):
        desk.directory.find("OTHER")
    desk.source.broken = False
    desk.source.instruments = [OTHER]
    assert desk.directory.find("OTHER") == OTHER


def test_D02_threads_that_wait_for_a_store_that_is_away_share_its_answer() -> None:
    entered, leave = Event(), Event()

    class Away(Source):
        def version(self) -> Hashable:
            self.asked += 1
            entered.set()
            assert leave.wait(60)
            raise StoreError("away")

    looks: list[float] = []

    def clock() -> float:
        # Every thread looks at the clock when it comes, before it waits for the others.
        looks.append(time.monotonic())
        return looks[-1]

    source = Away()
    directory = InstrumentDirectory([AAPL], source, clock=clock)
    failures: list[StoreError] = []

    def ask() -> None:
        try:
            directory.all()
        except StoreError as error:
            failures.append(error)

    threads = [Thread(target=ask) for _ in range(9)]
    threads[0].start()
    assert entered.wait(60)
    before = len(looks)
    for thread in threads[1:]:
        thread.start()
    wait_until(lambda: len(looks) == before + 8)
    leave.set()
    for thread in threads:
        thread.join(60)
    assert len(failures) == 9
    # The first look began before the eight came, so one of them looks again, for all of them.
    assert source.asked == 2
