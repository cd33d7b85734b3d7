"""Ending a task: when that returns, it runs no more (P05)."""

import asyncio

import pytest

from trading_api.shared.tasks import end_task


def test_P05_a_task_is_ended_once_it_has_cleaned_up() -> None:
    said = list[str]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            said.append("clean")

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        await end_task(task)
        assert task.done()
        assert said == ["clean"]
        await end_task(task)
        await end_task(None)

    asyncio.run(main())


def test_P05_what_a_task_failed_with_is_not_lost() -> None:
    async def work() -> None:
        raise ValueError("its own")

    async def main() -> None:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        with pytest.raises(ValueError, match="its own"):
            await end_task(task)

    asyncio.run(main())
