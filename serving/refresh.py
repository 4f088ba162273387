"""Looking for new models and features again and again, on the one thread that may take its time.

Belongs here: the thread, the pauses, what is remembered of a look that failed. Does not: what is looked at (`service`).
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
LOG = logging.getLogger(__name__)
FAILURES = 3
"""From as many failed looks at the models and the lake in a row, answers would pretend to be fresh: there are none."""
LONGEST_PAUSE_S = 30.0


class Refresh:
    """Calls `look` every `poll_s` seconds, whatever becomes of one call; after unforeseen failures in growing pauses."""

    def __init__(self, look: Callable[[], None], *, poll_s: float) -> None:
        self._look, self._poll_s = look, poll_s
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="refresh")
        self._following: asyncio.Task[None] | None = None
        self.defect: str | None = None
        """Why the last look failed in a way nobody foresaw; None while looks succeed."""
        self.defects = 0
        """How many failed so in a row."""

    async def start(self) -> None:
        """Looks once before the first request is taken, then follows changes."""
        await self.run(self._look)
        self._following = asyncio.create_task(self._follow(), name="refresh")

    async def stop(self) -> None:
        if self._following:
            self._following.cancel()
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives on that thread."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def pause_s(self) -> float:
        """How long to wait before the next look."""
        return (
            self._poll_s
            if not self.defects
            else max(self._poll_s, min(self._poll_s * 2.0 ** min(self.defects, 16), LONGEST_PAUSE_S))
        )

    def note(self, error: BaseException | None) -> None:
        """Remembers how a look ended."""
        if error is None:
            if self.defects:
                LOG.info("models and features are refreshed again after %d failures", self.defects)
            self.defect, self.defects = None, 0
            return
        self.defects += 1
        self.defect = f"{type(error).__name__}: {error}"
        LOG.error("looking for new models and features failed, %d in a row", self.defects, exc_info=error)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self.pause_s())
            look = asyncio.get_running_loop().run_in_executor(self._thread, self._look)
            await asyncio.wait([look])
            self.note(look.exception())
