"""Two ends of one bus, in memory or over NATS, for tests that hold for both."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from support.garbage import collected
from support.nats import NatsServer

from trading_api.shared.bus import Bus, Message, open_bus

Scene = Callable[[Bus, Bus], Awaitable[None]]
_PATIENCE_S = 60.0


async def eventually(condition: Callable[[], object], what: str = "condition") -> None:
    """Wait until `condition` holds; AssertionError after a minute."""
    deadline = asyncio.get_running_loop().time() + _PATIENCE_S
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, f"gave up waiting for {what}"
        await asyncio.sleep(0.005)


class Heard:
    """A handler that keeps what it gets."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def data(self) -> list[bytes]:
        return [message.data for message in self.messages]

    async def count(self, number: int) -> None:
        """Wait for that many."""
        await eventually(lambda: len(self.messages) >= number, f"{number} messages; there are {len(self.messages)}")


class Gate:
    """A handler that stays inside until it is opened."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.heard = Heard()

    async def __call__(self, message: Message) -> None:
        self.entered.set()
        await self.opened.wait()
        await self.heard(message)


@dataclass(frozen=True)
class Medium:
    """Opens buses that reach one another. In memory the two ends are one object."""

    server: NatsServer | None
    loop: Callable[[], asyncio.AbstractEventLoop] | None = None

    def open(self) -> Bus:
        if self.server is None:
            return open_bus("", "")
        return open_bus(self.server.url, str(self.server.token_file))

    def run(self, scene: Scene) -> None:
        """Play `scene` with two connected ends. Nothing may run on afterwards, nor may asyncio complain."""
        complaints: list[str] = []

        async def play() -> None:
            loop = asyncio.get_running_loop()
            loop.set_exception_handler(lambda _, context: complaints.append(str(context)))
            ours = self.open()
            theirs = ours if self.server is None else self.open()
            await ours.connect()
            await theirs.connect()
            try:
                await scene(ours, theirs)
            finally:
                await ours.close()
                await theirs.close()
            await eventually(lambda: len(asyncio.all_tasks()) == 1, f"the end of {asyncio.all_tasks()}")

        with collected(), asyncio.Runner(loop_factory=self.loop) as runner:
            runner.run(play())
        assert complaints == []


def lines_of(caplog_records: list[logging.LogRecord], level: int = logging.INFO) -> list[str]:
    """What the bus logged, from `level` up."""
    mine = (each for each in caplog_records if each.name.startswith("trading_api.shared.bus"))
    return [each.getMessage() for each in mine if each.levelno >= level]
