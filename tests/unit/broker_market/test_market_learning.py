"""What is read of hundreds of symbols after a start: what somebody waits for first, whatever fails (D03)."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import cast

from trading_api.modules.broker.market.inquiries import Inquiries
from trading_api.modules.broker.market.learning import Learning
from trading_api.modules.broker.market.listing import Listing
from trading_api.modules.broker.market.port import MarketUnavailable, UnknownSymbol

AWAY = MarketUnavailable("The datafeed cannot be reached.")
BROKEN = MarketUnavailable("Its price step cannot be used.", answered=True)


class Datafeed:
    """In place of the inquiries: answers when the gate is open, with an error where one is set."""

    def __init__(self, errors: Mapping[str, Exception] | None = None) -> None:
        self.errors = dict(errors or {})
        self.asked: list[str] = []
        self.learned: set[str] = set()
        self.at_once = self.most_at_once = 0
        self.gate = asyncio.Event()

    def lacks(self, listing: Listing) -> bool:
        return listing.symbol not in self.learned

    async def learn(self, listing: Listing) -> None:
        self.asked.append(listing.symbol)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        if listing.symbol in self.errors:
            raise self.errors[listing.symbol]
        self.learned.add(listing.symbol)


def listings(number: int) -> list[Listing]:
    return [Listing(f"S{each:02}") for each in range(number)]


def run(scene: Callable[[Datafeed, Learning], Awaitable[None]], errors: Mapping[str, Exception] | None = None) -> None:
    async def main() -> None:
        datafeed = Datafeed(errors)
        learning = Learning(cast("Inquiries", datafeed))
        async with asyncio.timeout(60):
            await scene(datafeed, learning)
            await learning.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


async def settled(learning: Learning) -> None:
    task = learning._task
    assert task is not None
    await asyncio.wait({task})


def test_D03_a_few_are_learned_at_once_and_each_of_them_once() -> None:
    async def scene(datafeed: Datafeed, learning: Learning) -> None:
        learning.begin(listings(10))
        while datafeed.at_once < 4:
            await asyncio.sleep(0)
        learning.begin(listings(10))
        datafeed.gate.set()
        await settled(learning)
        assert sorted(datafeed.asked) == [each.symbol for each in listings(10)]
        assert datafeed.most_at_once == 4
        everything = listings(10)
        learning.begin(everything)
        assert len(datafeed.asked) == 10, "there is nothing more to learn"

    run(scene)


def test_D03_what_somebody_waits_for_comes_next_also_when_nothing_else_is_learned() -> None:
    async def scene(datafeed: Datafeed, learning: Learning) -> None:
        everything = listings(20)
        learning.begin(everything)
        while datafeed.at_once < 4:
            await asyncio.sleep(0)
        learning.hurry(everything[-1])
        datafeed.gate.set()
        await settled(learning)
        assert datafeed.asked.index("S19") == 4
        assert len(datafeed.asked) == 20, "and not once more in its turn"
        learning.hurry(Listing("NEW"))
        await settled(learning)
        assert datafeed.asked[-1] == "NEW"

    run(scene)


def test_D03_symbols_that_fail_keep_no_other_from_it() -> None:
    errors = {f"S{each:02}": (UnknownSymbol(), BROKEN, RuntimeError("a bug"))[each % 3] for each in range(9)}

    async def scene(datafeed: Datafeed, learning: Learning) -> None:
        datafeed.gate.set()
        learning.begin(listings(12))
        await settled(learning)
        assert datafeed.learned == {"S09", "S10", "S11"}

    run(scene, errors)


def test_D03_a_datafeed_that_is_away_is_not_asked_for_all() -> None:
    async def scene(datafeed: Datafeed, learning: Learning) -> None:
        datafeed.gate.set()
        learning.begin(listings(100))
        await settled(learning)
        assert 4 <= len(datafeed.asked) < 12
        datafeed.errors.clear()
        learning.begin(listings(100))
        await settled(learning)
        assert len(datafeed.learned) == 100

    run(scene, {each.symbol: AWAY for each in listings(100)})


def test_P05_a_stop_ends_it_in_the_middle() -> None:
    async def scene(datafeed: Datafeed, learning: Learning) -> None:
        learning.begin(listings(10))
        while not datafeed.asked:
            await asyncio.sleep(0)
        await learning.stop()
        assert datafeed.learned == set()

    run(scene)
