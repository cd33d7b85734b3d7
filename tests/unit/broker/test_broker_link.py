"""The link to the datafeed as a state machine, with connections that the tests open and end."""

import asyncio
from collections.abc import Awaitable, Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading_api.models.broker import BrokerConnection, BrokerConnectionSubscription, ConnectionStatus
from trading_api.modules.broker.domain.account_terms import AccountTerms
from trading_api.modules.broker.link.address import http_base, quotes_urls
from trading_api.modules.broker.link.backoff import LONGEST_S, SHORTEST_S, Backoff
from trading_api.modules.broker.link.connection import LinkEndedError, Send
from trading_api.modules.broker.link.quotes_link import EAGER_S, GOOD_MS, NOT_DEPLOYED, QUIET_MS, START_MS, QuotesLink
from trading_api.modules.broker.link.state import LinkState
from trading_api.modules.broker.machinery import Machinery
from trading_api.modules.broker.service import BrokerService
from trading_api.settings import ModuleChoice, Settings
from trading_api.shared.users import DEFAULT_USER
from trading_api.shared.ws import AnyTopic

UP, CONNECTING, DOWN, ERROR = ConnectionStatus
AWAY = LinkEndedError("The datafeed cannot be reached.")
REFUSED = LinkEndedError("The datafeed refuses the link: HTTP 404.", refused=True)
RESTART = LinkEndedError("The datafeed restarts.", announced=True)


class Wire:
    """A link whose attempts the test answers: `open`, `end`; and a clock that it moves."""

    def __init__(self, urls: tuple[str, ...] = ("ws://a",)) -> None:
        self.now = 1_000_000
        self.urls: list[str] = []
        self.slept: list[float] = []
        self.seen: list[LinkState] = []
        self.sent: list[str] = []
        self._opened: Callable[[Send], None] = lambda _send: None
        self.say: Callable[[str], None] = lambda _text: None
        self._end: asyncio.Future[None] | None = None
        self.link = QuotesLink(
            urls, attend=self._attend, clock=lambda: self.now, sleep=self._sleep, backoff=Backoff(lambda: 1.0)
        )
        self.link.listen("test", self.seen.append)

    async def _attend(self, url: str, on_open: Callable[[Send], None], on_text: Callable[[str], None]) -> None:
        self.urls.append(url)
        self._opened, self.say = on_open, on_text
        self._end = asyncio.get_running_loop().create_future()
        await self._end

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += round(seconds * 1000)
        await asyncio.sleep(0)

    async def turn(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def open(self) -> None:
        self._opened(self._send)
        await self.turn()

    async def _send(self, text: str) -> None:
        self.sent.append(text)

    async def end(self, error: Exception) -> None:
        assert self._end is not None
        self._end.set_exception(error)
        await self.turn()

    @property
    def statuses(self) -> list[ConnectionStatus]:
        return [state.status for state in self.seen]


def run(test: Callable[[Wire], Awaitable[None]], urls: tuple[str, ...] = ("ws://a",)) -> Wire:
    """Start a link, run the test in a loop, stop the link, and see that no task is left."""

    async def main() -> Wire:
        wire = Wire(urls)
        wire.link.start()
        await wire.turn()
        await test(wire)
        await wire.link.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        return wire

    return asyncio.run(main())


def test_D01_the_link_connects_is_lost_and_comes_back() -> None:
    async def test(wire: Wire) -> None:
        await wire.open()
        wire.now += 60_000
        await wire.end(RESTART)
        assert wire.link.state == LinkState(DOWN, "The datafeed restarts.", wire.now - round(wire.slept[0] * 1000))
        await wire.open()

    wire = run(test)
    assert wire.statuses == [DOWN, CONNECTING, UP, DOWN, UP]
    assert wire.slept == [SHORTEST_S * 2]


def test_D01_while_everything_starts_a_datafeed_that_is_not_there_is_no_failure() -> None:
    async def test(wire: Wire) -> None:
        began = wire.now
        while wire.now - began < START_MS:
            assert wire.link.state.status is CONNECTING
            await wire.end(AWAY)
        await wire.end(AWAY)
        assert wire.link.state.status is DOWN
        await wire.end(AWAY)
        assert wire.link.state.status is DOWN, "it is not told again and again"

    assert run(test).statuses == [DOWN, CONNECTING, DOWN]


def test_D03_a_datafeed_that_is_awaited_is_tried_often_and_one_that_is_missed_less_and_less() -> None:
    async def test(wire: Wire) -> None:
        while wire.link.state.status is CONNECTING:
            await wire.end(AWAY)
        awaited = len(wire.slept)
        assert max(wire.slept[:-1]) == EAGER_S
        for _ in range(3):
            await wire.end(AWAY)
        assert max(wire.slept[awaited:]) > EAGER_S

    run(test)


def test_D01_a_datafeed_that_restarts_is_not_missed_until_it_takes_long(caplog: pytest.LogCaptureFixture) -> None:
    async def test(wire: Wire) -> None:
        await wire.open()
        wire.now += 60_000
        announced = wire.now
        await wire.end(RESTART)
        while wire.now - announced < START_MS:
            await wire.end(AWAY)
            assert wire.link.state.message == str(RESTART) or wire.now - announced >= START_MS
        assert not caplog.records
        await wire.end(AWAY)
        assert wire.link.state.message == str(AWAY)
        await wire.open()
        await wire.end(AWAY)
        assert wire.link.state.message == str(AWAY), "one that breaks off is missed at once"

    assert run(test).statuses == [DOWN, CONNECTING, UP, DOWN, DOWN, UP, DOWN]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_D01_a_refusal_is_an_error_at_once_and_is_tried_again() -> None:
    async def test(wire: Wire) -> None:
        await wire.end(REFUSED)
        assert (wire.link.state.status, wire.link.state.message) == (ERROR, str(REFUSED))
        await wire.open()

    assert run(test).statuses == [DOWN, CONNECTING, ERROR, UP]


def test_D01_a_mistake_of_the_link_itself_is_an_error_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def test(wire: Wire) -> None:
        await wire.end(RuntimeError("a bug"))
        assert wire.link.state.status is ERROR
        assert "a bug" not in wire.link.state.message
        await wire.open()

    assert run(test).statuses[-1] is UP
    assert "a bug" in caplog.text


def test_D01_each_instance_of_the_datafeed_is_tried_in_turn() -> None:
    async def test(wire: Wire) -> None:
        for _ in range(3):
            await wire.end(AWAY)

    assert run(test, urls=("ws://a", "ws://b")).urls == ["ws://a", "ws://b", "ws://a", "ws://b"]


def test_D01_a_link_that_breaks_at_once_backs_off_and_a_good_one_resets_it() -> None:
    async def test(wire: Wire) -> None:
        for _ in range(4):
            await wire.open()
            await wire.end(AWAY)
        assert wire.slept == sorted(wire.slept)
        assert wire.slept[-1] > wire.slept[0]
        await wire.open()
        wire.now += GOOD_MS
        await wire.end(AWAY)
        assert wire.slept[-1] == wire.slept[0]

    run(test)


class Spy:
    """What goes over a link, noted."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.send: Send | None = None

    def opened(self, url: str, send: Send) -> None:
        self.seen.append(f"open {url}")
        self.send = send

    def received(self, text: str) -> None:
        self.seen.append(text)

    def closed(self) -> None:
        self.seen.append("closed")


def test_D03_the_traffic_hears_of_each_connection_its_messages_and_its_end() -> None:
    spy = Spy()

    async def test(wire: Wire) -> None:
        wire.link.carry(spy)
        await wire.end(AWAY)
        await wire.open()
        wire.say("hello")
        assert spy.send is not None
        await spy.send("hi")
        await wire.end(RESTART)
        await wire.open()

    wire = run(test, urls=("ws://a", "ws://b"))
    assert spy.seen == ["closed", "open ws://b", "hello", "closed", "open ws://a", "closed"]
    assert wire.sent == ["hi"]


def test_D01_without_a_datafeed_nothing_runs_and_it_says_so() -> None:
    async def test(wire: Wire) -> None:
        assert (wire.link.state.status, wire.link.state.message) == (DOWN, NOT_DEPLOYED)
        assert len(asyncio.all_tasks()) == 1

    assert run(test, urls=()).urls == []


@given(st.lists(st.sampled_from(["open", "away", "refused", "restart"]), max_size=40))
def test_D01_the_state_is_always_that_of_the_last_event(events: list[str]) -> None:
    ends = {"away": AWAY, "refused": REFUSED, "restart": RESTART}

    async def test(wire: Wire) -> None:
        wire.now += START_MS
        for event in events:
            if event == "open":
                await wire.open()
            else:
                await wire.end(ends[event])
            assert wire.link.state.status is {"open": UP, "refused": ERROR}.get(event, DOWN)
        changes = [(state.status, state.message) for state in wire.seen]
        assert all(later != earlier for earlier, later in pairwise(changes))
        assert [state.since for state in wire.seen] == sorted(state.since for state in wire.seen)

    run(test)


@given(st.integers(0, 200), st.floats(0, 1))
def test_D01_the_wait_is_bounded_and_never_nothing(failures: int, drawn: float) -> None:
    backoff = Backoff(lambda: drawn)
    waits = [backoff.next() for _ in range(failures + 1)]
    assert all(SHORTEST_S <= wait <= LONGEST_S for wait in waits)
    assert waits == sorted(waits)
    backoff.reset()
    assert backoff.next() == waits[0]


def served(link: QuotesLink) -> BrokerService:
    """A broker of which nothing but the link works."""
    machinery = SimpleNamespace(market=SimpleNamespace(link=link), journal=None, streams=None, problem="", unvalued="")
    return BrokerService(lambda: cast("Machinery", machinery), AccountTerms())


class Recorder:
    """A topic that keeps what is published."""

    def __init__(self, account: str) -> None:
        self.name = f"broker-connection:{account}"
        self.user = DEFAULT_USER
        self.request = BrokerConnectionSubscription(accountId=account)
        self.published: list[BrokerConnection] = []

    def publish(self, data: Any, *, key: str = "", seq: int | None = None) -> None:
        assert (key, seq) == ("", None)
        self.published.append(data)


def test_D01_any_account_follows_the_connection_until_it_leaves() -> None:
    async def test(wire: Wire) -> None:
        service = served(wire.link)
        topics = [Recorder("DEMO-ACCOUNT"), Recorder("ACCOUNT-01")]
        for topic in topics:
            await service.create_topic(cast("AnyTopic", topic))
        await wire.open()
        await service.remove_topic(cast("AnyTopic", topics[1]))
        await wire.end(RESTART)
        assert [one.status for one in topics[0].published] == [CONNECTING, UP, DOWN]
        assert [one.status for one in topics[1].published] == [CONNECTING, UP]
        assert topics[0].published[1].timestamp == wire.seen[2].since

    run(test)


def test_P10_health_is_degraded_only_while_a_deployed_datafeed_is_away() -> None:
    async def test(wire: Wire) -> None:
        service = served(wire.link)
        assert service.health().status == "ok", "it is only starting"
        wire.now += QUIET_MS
        told = service.health()
        assert (told.status, told.message) == ("degraded", "The broker is not connected to the datafeed yet.")
        await wire.end(AWAY)
        assert (service.health().message, wire.link.state.status) == (str(AWAY), CONNECTING)
        await wire.open()
        assert service.health().message == "The module is up."
        await wire.end(RESTART)
        assert (service.health().status, service.health().message) == ("degraded", "The datafeed restarts.")

    run(test)
    assert served(QuotesLink([])).health().status == "ok"


OWN = "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("settings", "urls"),
    [
        (Settings(), ()),
        (Settings(own_url=OWN), ("ws://127.0.0.1:8000/api/v1/datafeed/ws",)),
        (Settings(own_url="http://[::1]:1", base_url=""), ("ws://[::1]:1/v1/datafeed/ws",)),
        (Settings(own_url=OWN, enabled_modules=(ModuleChoice("broker"),)), ()),
        (
            Settings(own_url=OWN, enabled_modules=(ModuleChoice("datafeed", "v1"),)),
            ("ws://127.0.0.1:8000/api/v1/datafeed/ws",),
        ),
        (Settings(own_url=OWN, quotes_url="ws://a/x, ws://b/y"), ("ws://a/x", "ws://b/y")),
    ],
)
def test_M03_the_datafeed_is_where_the_settings_say_or_here(settings: Settings, urls: tuple[str, ...]) -> None:
    assert quotes_urls(settings) == urls


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("ws://127.0.0.1:8000/api/v1/datafeed/ws", "http://127.0.0.1:8000/api/v1/datafeed"),
        ("wss://quotes.example:8443/api/v1/datafeed/ws", "https://quotes.example:8443/api/v1/datafeed"),
        ("ws://[::1]:1/v1/datafeed/ws", "http://[::1]:1/v1/datafeed"),
    ],
)
def test_D03_the_datafeed_answers_where_its_quotes_come_from(url: str, base: str) -> None:
    assert http_base(url) == base
