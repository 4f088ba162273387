"""Slow reads: so many callers wait for the thread, and so long."""

import asyncio
import threading

import pytest

from serving.aside import Aside
from serving.problems import Busy


def test_who_would_wait_behind_too_many_others_is_told_to_come_again_at_once() -> None:
    async def scenario() -> None:
        aside, go = Aside("reads", most=2), threading.Event()
        first, second = asyncio.create_task(aside.run(go.wait)), asyncio.create_task(aside.run(lambda: 2))
        await asyncio.sleep(0)
        with pytest.raises(Busy, match="2 calls of this worker wait") as refused:
            await aside.run(lambda: 3)
        assert (refused.value.code, refused.value.retry_after_s) == ("busy", 1)
        go.set()
        assert [await first, await second, await aside.run(lambda: 3)] == [True, 2, 3]
        aside.stop()

    asyncio.run(scenario())


def test_work_that_waited_too_long_is_not_begun() -> None:
    async def scenario() -> None:
        aside, go, done = Aside("reads", wait_s=0.02), threading.Event(), list[int]()
        first, late = asyncio.create_task(aside.run(go.wait)), asyncio.create_task(aside.run(lambda: done.append(1)))
        await asyncio.sleep(0.05)
        go.set()
        with pytest.raises(Busy, match=r"within 0\.02 s"):
            await late
        assert (await first, done) == (True, [])
        aside.stop()

    asyncio.run(scenario())
