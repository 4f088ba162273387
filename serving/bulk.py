"""Bodies of many rows: how many bytes of them a worker holds at once, and the threads that score them.

Belongs here: the budget over all calls in flight, a body read in one piece, rows shared out to threads. Does not: routes
(`batch`), what the rows mean (`matrix`).

A body stays in memory until its answer is made: 300 callers with 8 MiB each were 2.4 GiB. What goes beyond the budget is
refused before a byte of it is read, and comes again.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from litestar import Request

from serving.matrix import Scored, Scoring
from serving.problems import Busy
from serving.served import ServedModel
from spx_assets.scoring.sequences import F32

T = TypeVar("T")
BUDGET = 32 * 1024 * 1024
"""Four of the largest bodies, a tenth of what a worker may take. They are 58,000 rows: half a second of work."""
THREADS = 2
"""The graph runs without the interpreter's lock, so two score twice as fast where there are two cores."""


class Bulk:
    """What a worker has for many rows. Used on the event loop only."""

    def __init__(self, *, budget: int = BUDGET) -> None:
        self._budget, self.held = budget, 0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bulk")

    def stop(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    @contextmanager
    def hold(self, size: int) -> Iterator[None]:
        """Counts a call of `size` bytes while it lasts; `Busy` if those in flight leave no room for it."""
        if self.held + size > self._budget:
            raise Busy(f"this worker holds {self.held} bytes of other callers' rows, and {self._budget} at most; come again")
        self.held += size
        try:
            yield
        finally:
            self.held -= size

    async def score(self, take: Callable[[], tuple[ServedModel, F32]]) -> Scored:
        """Forecasts of the rows that `take` gives, which may read files."""
        scoring = Scoring(*await self._run(take))
        await asyncio.gather(*(self._run(scoring.run) for _ in range(min(THREADS, scoring.parts))))
        return scoring.scored()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)


async def whole(request: Request[Any, Any, Any], size: int) -> bytearray:
    """A body of `size` bytes, or fewer. Put together from its pieces at the end it would lie in memory twice."""
    body, end = bytearray(size), 0
    async for piece in request.stream():
        body[end : end + len(piece)] = piece
        end += len(piece)
    del body[end:]
    return body
