"""What the writer asks the market before it decides, and how calls and answers travel (D03, D04)."""

import asyncio
import json
from dataclasses import fields, is_dataclass
from decimal import Decimal
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.broker_writer import (
    ACCOUNT,
    Instance,
    MemoryJournal,
    World,
    eventually,
    instance,
    limit_buy,
    market_buy,
    play,
)

from trading_api.models.broker import OrderType, Side
from trading_api.modules.broker.domain import requests as asked
from trading_api.modules.broker.domain.outcome import LeveragePreview, Preview, Refusal
from trading_api.modules.broker.writer import wire
from trading_api.modules.broker.writer.call import AskEquity, Call, EquityNow, Reply
from trading_api.modules.broker.writer.codec import dump_call, dump_reply, load_call, load_reply
from trading_api.modules.broker.writer.errors import (
    Again,
    CommandError,
    CommandFailed,
    KeyReused,
    MarketUnknown,
    NoWriter,
    Overloaded,
    StoreFailed,
)
from trading_api.modules.broker.writer.in_flight import CallsInFlight
from trading_api.modules.broker.writer.writer_news import WriterNews, dump_news, load_news
from trading_api.shared.store.errors import StoreError

DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, places=8, min_value=-(10**12), max_value=10**12)
TEXTS = st.text(max_size=20)


def values(kind: object) -> st.SearchStrategy[Any]:
    """Values of a type, with every decimal finite."""
    if kind is Decimal:
        return DECIMALS
    if isinstance(kind, type) and is_dataclass(kind):
        hints = get_type_hints(kind)
        return st.builds(kind, **{field.name: values(hints[field.name]) for field in fields(kind)})
    if get_origin(kind) is UnionType:
        return st.one_of([values(each) for each in get_args(kind)])
    if get_origin(kind) is tuple:
        return st.lists(values(get_args(kind)[0]), max_size=3).map(tuple)
    found: st.SearchStrategy[Any] = st.from_type(kind)  # type: ignore[arg-type]
    return found


REQUESTS: st.SearchStrategy[asked.Request] = values(asked.Request)
REPLIES: st.SearchStrategy[Reply] = st.one_of(
    TEXTS, DECIMALS, values(Refusal), values(Preview), values(LeveragePreview), values(EquityNow)
)


@settings(max_examples=80, deadline=None)
@given(request=REQUESTS, key=TEXTS, retry=st.booleans())
def test_D04_a_call_arrives_as_it_was_sent(request: asked.Request, key: str, retry: bool) -> None:
    call = Call("ACC-1", request, key, "hash", retry)
    assert load_call(dump_call(call, "store")) == ("store", call)


@settings(max_examples=80, deadline=None)
@given(reply=REPLIES)
def test_D04_an_answer_is_stored_and_sent_exactly(reply: Reply) -> None:
    text = dump_reply(reply)
    assert text.isascii()
    assert json.loads(text)
    stored = load_reply(text)
    assert stored == reply
    assert str(stored) == str(reply), "with every digit, trailing zeros too"
    assert wire.load_outcome(wire.dump_success(reply)) == reply


@pytest.mark.parametrize(
    "error",
    [
        Again("a b"),
        StoreFailed("s"),
        NoWriter("n"),
        Overloaded("o"),
        KeyReused("k"),
        MarketUnknown("m"),
        CommandFailed("f"),
    ],
)
def test_D04_an_error_of_the_writer_arrives_as_what_it_is(error: Again | CommandError) -> None:
    with pytest.raises(type(error)) as raised:
        wire.load_outcome(wire.dump_error(error))
    assert (type(raised.value), str(raised.value)) == (type(error), str(error))


@pytest.mark.parametrize("data", [b"", b"{}", b"reply {}", b"reply []", b'reply {"text":"1","number":"2"}', b"other x"])
def test_D04_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        wire.load_outcome(data)


def test_D04_news_of_older_writers_come_too_late() -> None:
    news = WriterNews()
    heard: list[int | None] = []
    for epoch, left in ((3, False), (2, True), (3, True), (3, False), (4, True), (3, False)):
        news.hear(epoch, left=left)
        heard.append(news.epoch)
    assert heard == [3, 3, None, 3, None, None]
    news.hear(5, left=False)
    news.doubt(4)
    before = news.epoch
    news.doubt(5)
    assert (before, news.epoch) == (5, None)
    assert load_news(dump_news(7, left=True)) == (7, True, "")
    assert load_news(dump_news(7, trouble="no room")) == (7, False, "no room")
    assert load_news(b'{"epoch": 7, "left": false}') == (7, False, ""), "of an older version"
    with pytest.raises(ValueError):
        load_news(b'{"epoch": "7"}')


async def ready(one: Instance) -> None:
    await eventually(lambda: one.writer.is_ready, "the writer")


def test_D03_a_symbol_that_is_not_known_is_looked_at_and_commands_that_need_no_look_do_not_wait() -> None:
    async def scene(world: World, _journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            one.market.know("AAPL", "99.99", "100.01")
            one.market.look_gate = asyncio.Event()
            waiting = asyncio.ensure_future(one.execute(market_buy("MSFT")))
            assert await one.execute(market_buy("AAPL")) == "1"
            assert one.market.looks == ["MSFT"]
            one.market.know("MSFT", "9.99", "10.01")
            one.market.look_gate.set()
            assert await waiting == "2"

    play(scene)


def test_D03_unknown_symbols_are_refused_in_words() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            for request in (
                market_buy("NOPE"),
                asked.SetLeverage("NOPE", Decimal(5)),
                asked.PreviewOrder(limit_buy("NOPE")),
            ):
                refused = await one.execute(request)
                assert isinstance(refused, Refusal)
                assert (refused.kind, "NOPE" in refused.reason) == ("invalid", True)
            missing = await one.execute(asked.ClosePosition("NOPE"))
            assert isinstance(missing, Refusal)
            assert missing.kind == "not_found"
            assert journal.batches == []

    play(scene)


@pytest.mark.parametrize(
    "request_", [market_buy(), limit_buy(), asked.SetLeverage("AAPL", Decimal(5)), asked.PreviewOrder(limit_buy())]
)
def test_D03_a_market_that_the_absent_datafeed_does_not_tell_of_is_nobodys_mistake_and_uses_no_key_up(
    request_: asked.Request,
) -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            one.market.away = "The datafeed cannot be reached."
            with pytest.raises(MarketUnknown, match="cannot be reached"):
                await one.execute(request_, command_id="key:k")
            assert journal.batches == []
            one.market.away = ""
            one.market.know("AAPL", "99.99", "100.01")
            assert not isinstance(await one.execute(request_, command_id="key:k"), Refusal)

    play(scene)


def test_D03_the_market_of_an_order_is_looked_at_before_it_is_modified_after_a_restart() -> None:
    async def scene(world: World, _journal: MemoryJournal) -> None:
        async with instance(world) as one:
            one.market.know("AAPL", "99.99", "100.01")
            await ready(one)
            order_id = str(await one.execute(limit_buy()))
        world.leases.offer()
        async with instance(world) as two:
            await ready(two)
            assert two.market.watched == {"AAPL"}
            two.market.look_gate = asyncio.Event()
            change = asyncio.ensure_future(two.execute(asked.ModifyOrder(order_id, qty=Decimal(2))))
            await eventually(lambda: two.market.looks == ["AAPL"], "the look")
            two.market.know("AAPL", "99.99", "100.01")
            two.market.look_gate.set()
            assert not isinstance(await change, Refusal)

    play(scene)


def test_D04_a_lease_lost_during_a_look_sends_the_command_to_the_next_writer() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one)
            one.market.look_gate = asyncio.Event()
            waiting = asyncio.ensure_future(one.execute(market_buy()))
            await eventually(lambda: one.market.looks, "the look")
            two.market.know("AAPL", "99.99", "100.01")
            world.leases.give(two.memory_lease)
            one.memory_lease.lose()
            assert await waiting == "1"
            one.market.look_gate.set()
            assert len(journal.batches) == 1

    play(scene)


def test_D04_a_lease_lost_in_the_very_turn_of_a_command_leaves_nobody_waiting() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one, instance(world) as two:
            await ready(one)
            two.market.know("AAPL", "99.99", "100.01")
            waiting = asyncio.ensure_future(one.execute(market_buy(), command_id="key:k"))
            await asyncio.sleep(0)
            world.leases.give(two.memory_lease)
            one.memory_lease.lose()
            assert await asyncio.wait_for(waiting, 60) == "1"
            assert len(journal.batches) == 1

    play(scene)


def test_D04_a_commit_that_fails_for_no_reason_of_the_store_is_an_error_at_once() -> None:
    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world) as one:
            await ready(one)
            one.market.know("AAPL", "99.99", "100.01")
            journal.failures = [RuntimeError("a defect")]
            with pytest.raises(CommandFailed):
                await one.execute(limit_buy())
            assert await one.execute(limit_buy()) == "1"

    play(scene)


def test_D04_answers_that_cannot_be_looked_up_delay_a_retry_only() -> None:
    class Shy(MemoryJournal):
        refusals = 2

        def answers(self, keys):  # type: ignore[no-untyped-def]
            if self.refusals:
                self.refusals -= 1
                raise StoreError("locked")
            return super().answers(keys)

    async def scene(world: World, _journal: MemoryJournal) -> None:
        world.journal = Shy()
        async with instance(world) as one:
            await ready(one)
            one.market.know("AAPL", "99.99", "100.01")
            assert await one.execute(limit_buy(), command_id="key:k") == "1"
            assert await one.execute(limit_buy(), command_id="key:k") == "1"

    play(scene)


def test_D03_an_order_expires_at_its_time_though_no_quote_comes() -> None:
    from dataclasses import replace

    from trading_api.models.broker import OrderStatus
    from trading_api.modules.broker.domain.duration import Duration, DurationKind
    from trading_api.modules.broker.domain.events import OrderEvent

    async def scene(world: World, journal: MemoryJournal) -> None:
        async with instance(world, tick_s=0.01) as one:
            await ready(one)
            view = one.market.know("AAPL", "99.99", "100.01")
            until = Duration(DurationKind.GTD, view.now_ms + 1000)
            order = asked.PlaceOrder(
                "AAPL", OrderType.LIMIT, Side.BUY, Decimal(1), limit_price=Decimal(90), duration=until
            )
            assert await one.execute(order) == "1"
            await asyncio.sleep(0.03)
            assert len(journal.events[ACCOUNT]) == 1
            one.market.views["AAPL"] = replace(view, now_ms=view.now_ms + 1001)
            await eventually(lambda: len(journal.events[ACCOUNT]) == 2, "the expiry")
            last = journal.events[ACCOUNT][-1]
            assert isinstance(last, OrderEvent)
            assert last.order.status is OrderStatus.CANCELED
            await eventually(lambda: one.market.watched == frozenset(), "nobody needs the quotes")

    play(scene)


def test_D04_who_waits_for_a_query_shares_nothing_with_others() -> None:
    async def scene(_world: World, _journal: MemoryJournal) -> None:
        calls = CallsInFlight(most=2)
        query = Call(ACCOUNT, AskEquity(), "", "")
        entries = [calls.enter(query, 0.0) for _ in range(2)]
        assert calls.find(query) is None
        with pytest.raises(Overloaded):
            calls.enter(query, 0.0)
        waiter = entries[0].join()
        calls.give_up(1.0, NoWriter("too late"))
        with pytest.raises(NoWriter):
            await waiter
        assert len(calls) == 2, "they may still be answered, to nobody"
        entries[0].fail(Again("x"))
        assert len(calls) == 1

    play(scene)
