"""Kills and pauses processes of a tree at random, one after the other, and waits each time until all is well again."""

import asyncio
import os
import random
import signal
from collections.abc import Sequence
from contextlib import suppress

from support.broker_load import TradeLoad
from support.project import Project

# Longer than the lease: whoever wakes up after it has lost it.
_PAUSE_S = 2.5
_HEALTHY_S = 60.0


async def disturb(project: Project, load: TradeLoad, name: str, how: signal.Signals) -> None:
    """SIGKILL a process, or SIGSTOP it for a while; returns when it is well and the load goes on."""
    before = await asyncio.to_thread(project.process, name)
    pid = int(before["pid"])
    with suppress(ProcessLookupError):
        os.kill(pid, how)
        if how == signal.SIGSTOP:
            await asyncio.sleep(_PAUSE_S)
            os.kill(pid, signal.SIGCONT)
    await _well(project, name, pid if how == signal.SIGKILL else 0)
    await load.goes_on(20)


async def disturb_all(
    project: Project, load: TradeLoad, names: Sequence[str], seconds: float, seed: int, tell: bool = False
) -> int:
    """Disturb processes drawn from `names` until `seconds` are over; how often that was."""
    drawn, count = random.Random(seed), 0
    end = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < end:
        name, how = drawn.choice(names), drawn.choice((signal.SIGKILL, signal.SIGSTOP))
        await disturb(project, load, name, how)
        count += 1
        if tell:
            print(f"{how.name} {name}: {len(load.placed)} orders placed, {load.retries} retries", flush=True)
    return count


async def _well(project: Project, name: str, former: int) -> None:
    async with asyncio.timeout(_HEALTHY_S):
        while True:
            row = await asyncio.to_thread(project.process, name)
            if row["pid"] not in (0, former) and row["health"] == "healthy":
                return
            await asyncio.sleep(0.1)
