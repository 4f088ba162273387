"""Reads that take long, beside the event loop: the thread for them, and how many calls wait for it how long.

Belongs here: `Aside`. Does not: what is read, rows to score (`bulk`).

One such read is 30 to 150 ms: without a bound 120 questions about the past kept the next caller waiting for 18 s, and those of
clients that have hung up as long.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from serving.problems import Busy

T = TypeVar("T")
MOST = 32
"""Calls that wait or are at work: 1 to 5 s of reads."""
WAIT_S = 10.0
"""A call that could not begin by then is refused: reads are slower than they are known to be, as of a lake far away."""


class Aside:
    """One thread. Used on the event loop only."""

    def __init__(self, name: str, *, most: int = MOST, wait_s: float = WAIT_S) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._most, self._wait_s, self._held = most, wait_s, 0

    def stop(self) -> None:
        """End after the read that goes on."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` gives; `Busy` if too many others wait, or it waited too long."""
        if self._held >= self._most:
            raise Busy(f"{self._held} calls of this worker wait for slow reads, and {self._most} may; come again")
        until = monotonic() + self._wait_s

        def begun() -> T:
            if monotonic() > until:
                raise Busy(f"this worker did not come to it within {self._wait_s:g} s; come again")
            return work()

        self._held += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, begun)
        finally:
            self._held -= 1
