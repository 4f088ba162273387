"""From journal files into the lake, in the background, each answer exactly once.

Belongs here: which files are taken over and when, what is said where that fails. Does not: taking one over (`taking`), the
request path.

Only files whose lock is free are taken over: those this process has just left and those of processes that are gone.
"""

import asyncio
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from serving import frames
from serving.journal import Journal, paths
from serving.ledger.taking import Taking
from spx_assets import SpxError
from spx_assets.lake import Lake, maintenance
from spx_assets.lake.serving_tables import JOURNALS, PREDICTIONS
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
ERRORS = (SpxError, duckdb.Error, OSError)
LOOK_S = 1.0
ENOUGH = 4 << 20
"""From so much on, 85,000 answers, they are not left to wait for the next round."""
LOCK_TIMEOUT_S = 5.0
"""A busy lake is asked again at the next round, so that the end of the service need not wait for it either."""


class Flusher:
    """Takes journals over every `flush_s` in a thread of its own."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        busy = settings.lake.model_copy(update={"lock_timeout_s": min(LOCK_TIMEOUT_S, settings.lake.lock_timeout_s)})
        self._settings = settings.model_copy(update={"lake": busy})
        self._journal, self._flush_s = journal, settings.serving.ledger.flush_s
        self.problem: str | None = None
        """Why the last round did not take everything over; None while rounds do."""
        self.waiting_bytes = 0
        """What lay in the journals of the home when they were last looked at, and how much had been written by then."""
        self.written_then = 0
        self._taking = Taking()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger-flush")
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._following = asyncio.create_task(self._follow(), name="ledger-flush")

    async def stop(self) -> None:
        """One more round, then the end. What the lake does not take now the next start takes over."""
        if self._following:
            self._following.cancel()
        await self._in_thread()
        self._thread.shutdown(wait=True)

    def round(self) -> None:
        """Take over what can be taken over now; `problem` says what stood against it."""
        try:
            self._take_over()
            problem = None
        except ERRORS as error:
            problem = str(error)
        if problem and self.problem is None:
            LOG.error("answers stay in the journal: %s", problem)
        elif self.problem and problem is None:
            LOG.info("the lake takes answers again")
        self.problem = problem
        self.written_then = self._journal.written
        self.waiting_bytes = sum(_size(path) for path in paths(self._journal.folder))

    async def _follow(self) -> None:
        """Round after round, whatever becomes of one."""
        began = -self._flush_s
        while True:
            await asyncio.sleep(min(self._flush_s, LOOK_S))
            full = self.problem is None and self.backlog > ENOUGH
            if full or time.monotonic() - began >= self._flush_s:
                await self._in_thread()
                began = time.monotonic()

    async def _in_thread(self) -> None:
        done = asyncio.get_running_loop().run_in_executor(self._thread, self.round)
        await asyncio.wait([done])
        if error := done.exception():
            LOG.error("answers stay in the journal", exc_info=error)
            self.problem = f"{type(error).__name__}: {error}; the log has the traceback"

    @property
    def backlog(self) -> int:
        """Bytes in the journals of the home that are not known to be in the lake."""
        return self.waiting_bytes + self._journal.written - self.written_then

    @property
    def damage(self) -> str | None:
        """What of a journal could not be read, if anything ever could not."""
        return self._taking.damage

    def _take_over(self) -> None:
        if not paths(self._journal.folder):
            return
        lake = Lake.existing(self._settings)
        self._left_behind(lake)
        # Only once the lake takes rows: else a file a round would pile up. The one that is written is left when it is full.
        self._journal.rotate()
        self._left_behind(lake)
        for table in (PREDICTIONS, JOURNALS):
            maintenance.flush_inlined(lake, table)

    def _left_behind(self, lake: Lake) -> None:
        for path in paths(self._journal.folder):
            with frames.taken_over(path) as mine:
                if mine:
                    self._taking.file(lake, path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
