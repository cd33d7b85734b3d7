"""What the broker's health says, and when (D03, P08)."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import cast

from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.machinery import NO_BUS, NO_WRITER, PATIENCE_S, Machinery
from trading_api.modules.broker.service import BrokerService
from trading_api.modules.broker.writer.commit_watch import NO_STORE


@dataclass
class News:
    reached: bool = False
    trouble: str = ""


@dataclass
class Writer:
    """As far as health asks it."""

    problem: str = ""
    distant: str = ""
    is_ready: bool = False
    unvalued: str = ""
    news: News = field(default_factory=News)


@dataclass
class Bus:
    connected: bool = True


class Watched:
    """Machinery with nothing in it but what its problem depends on; `now` is its clock."""

    def __init__(self) -> None:
        self.now, self.writer, self.bus = 100.0, Writer(), Bus()
        unused = cast("object", None)
        self.machinery = Machinery(
            engine=unused,  # type: ignore[arg-type]
            bus=self.bus,  # type: ignore[arg-type]
            journal=unused,  # type: ignore[arg-type]
            market=unused,  # type: ignore[arg-type]
            writer=self.writer,  # type: ignore[arg-type]
            commands=unused,  # type: ignore[arg-type]
            streams=unused,  # type: ignore[arg-type]
            clock=lambda: self.now,
        )

    def after(self, seconds: float) -> str:
        """What is amiss so many seconds later."""
        self.now += seconds
        return self.machinery.problem


def test_D03_a_start_and_a_change_of_writers_are_no_failure() -> None:
    watched = Watched()
    assert watched.after(PATIENCE_S) == ""
    watched.writer.news.reached = True
    assert watched.after(PATIENCE_S) == "", "another instance writes"
    watched.writer.news.reached = False
    watched.writer.distant = "far away"
    assert watched.after(PATIENCE_S) == ""
    watched.writer.is_ready = True
    assert watched.after(1000) == ""


def test_D03_without_a_writer_for_long_the_broker_says_so() -> None:
    watched = Watched()
    assert watched.after(PATIENCE_S + 0.1) == NO_WRITER
    watched.writer.distant = "far away"
    assert watched.after(0) == "far away", "the lease is held by one whom the bus does not reach"


def test_D03_a_store_that_takes_nothing_and_a_bus_that_is_away_are_told_in_words() -> None:
    watched = Watched()
    watched.writer = watched.machinery._writer = Writer(problem=NO_STORE, is_ready=True)  # type: ignore[assignment]
    assert watched.after(PATIENCE_S + 0.1) == NO_STORE
    watched.writer.problem = ""
    assert watched.after(1) == "", "it is well again"
    watched.bus.connected = False
    assert watched.after(PATIENCE_S + 0.1) == NO_BUS


def test_D03_what_the_writer_of_another_instance_lacks_is_told_here_too() -> None:
    watched = Watched()
    watched.writer.news = News(reached=True, trouble=NO_STORE)
    assert watched.after(PATIENCE_S + 0.1) == NO_STORE
    watched.writer.news.trouble = ""
    assert watched.after(PATIENCE_S + 0.1) == ""


def test_D03_accounts_that_are_not_valued_in_time_are_told_unless_it_is_known_why() -> None:
    watched, link = Watched(), SimpleNamespace(problem="")
    machinery = watched.machinery
    machinery.market = SimpleNamespace(link=link)  # type: ignore[assignment]
    watched.writer.is_ready = True
    service = BrokerService(lambda: machinery, AccountTerms())
    assert service.health().status == "ok"
    watched.writer.unvalued = "The market of 7 of the symbols that are held is not known yet."
    assert (service.health().status, service.health().message) == ("degraded", watched.writer.unvalued)
    link.problem = "The datafeed cannot be reached."
    assert service.health().message == link.problem
