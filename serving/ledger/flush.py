"""From journal files into the lake, in the background, each answer exactly once.

Belongs here: which files are taken over and when, what is committed together, when a file may go. Does not: rows (`rows`),
transactions (`spx_assets.lake`), the request path.

Only files whose lock is free are taken over: those this process has just left and those of processes that are gone. How far a
file was taken over is committed with its rows, and it is removed after its last row; so a process that dies anywhere in
between costs another look at the file, never a row and never a row twice.
"""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import polars as pl

from serving import frames
from serving.frames import Torn
from serving.journal import Journal, paths, sync_folder
from serving.ledger import rows
from serving.ledger.entries import Contents, VectorFacts, VectorKey
from serving.ledger.refused import REFUSED, Refused, sift, write
from spx_assets import SpxError
from spx_assets.lake import Lake, maintenance
from spx_assets.lake.appending import append_new
from spx_assets.lake.errors import ContractError, LakeMissingError
from spx_assets.lake.location import Location
from spx_assets.lake.serving_tables import JOURNALS, PREDICTIONS, VECTORS
from spx_assets.lake.tables import Table
from spx_assets.settings import Settings

LOG = logging.getLogger(__name__)
ERRORS = (SpxError, duckdb.Error, OSError)
LOOK_S = 1.0
ENOUGH = 4 << 20
"""From so much on, 85,000 answers, they are not left to wait for the next round."""
A_COMMIT = 10_000
"""Answers committed together, at 60 ms of CPU a commit: with 25,000 the service would take 15 MB more and 2 us less a row."""
LOCK_TIMEOUT_S = 5.0
"""A busy lake is asked again at the next round, so that the end of the service need not wait for it either."""
DAMAGED = ".damaged"
ASIDE = "the others are in serving.predictions. See what made them, then remove the file"
KNOWN_VECTORS = 50_000


class Flusher:
    """Takes journals over every `flush_s` in a thread of its own."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        busy = settings.lake.model_copy(update={"lock_timeout_s": min(LOCK_TIMEOUT_S, settings.lake.lock_timeout_s)})
        # What reads shares the object that the service reads by, and what that remembers of the catalog.
        self._reading, self._settings = settings, settings.model_copy(update={"lake": busy})
        self._journal, self._flush_s = journal, settings.serving.ledger.flush_s
        self.problem: str | None = None
        """Why the last round did not take everything over; None while rounds do."""
        self.damage: str | None = None
        """What of a journal could not be read, if anything ever could not."""
        self.waiting_bytes = 0
        """What lay in the journals of the home when they were last looked at, and how much had been written by then."""
        self.written_then = 0
        self._known: set[VectorKey] = set()
        self._gone: list[str] = []
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

    def _take_over(self) -> None:
        if not paths(self._journal.folder):
            return
        lake = self._lake()
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
                    self._file(lake, path)

    def _lake(self) -> Lake:
        """The lake for writing. LakeMissingError where it is gone: the ledger makes no lake, nor does it write to one that was
        removed while its connection was open.
        """
        location = Location.of(self._settings)
        if not location.postgres and not Path(location.catalog).is_file():
            raise LakeMissingError(f"no lake at {location.name}; put it back, answers wait in {self._journal.folder}")
        Lake.open(self._reading, read_only=True)
        return Lake.open(self._settings)

    def _file(self, lake: Lake, path: Path) -> None:
        """Take one file over, a commit at a time."""
        data = path.read_bytes()
        contents, lost, stored = Contents(), 0, set[VectorKey]()
        for count in contents.read(data, start=_committed(lake, path.name), answers=A_COMMIT, patient=True):
            if count:
                frame = rows.predictions(contents, contents.take())
                vectors = [
                    vector
                    for key, vector in contents.vectors.items()
                    if key not in stored and rows.fits(vector.values, contents.names.get(vector.feature_set))
                ]
                self._commit(lake, path, frame, vectors, contents)
                stored |= {vector.key for vector in vectors}
                lost += count - frame.height
        self._remove(path, contents, lost)

    def _commit(
        self, lake: Lake, path: Path, predictions: pl.DataFrame, vectors: Sequence[VectorFacts], contents: Contents
    ) -> None:
        mark = {"journal": [path.name], "committed": [contents.end], "committed_at": [datetime.now(UTC)]}
        upsert = {JOURNALS: pl.DataFrame(mark, schema=JOURNALS.schema())}
        if unknown := self._unknown(lake, vectors):
            upsert[VECTORS] = rows.vectors(unknown, contents.names)
        gone = [(JOURNALS, {"journal": removed}) for removed in self._gone]
        try:
            append_new(lake, {PREDICTIONS: predictions}, upsert=upsert, delete=gone)
        except ContractError as error:  # one row would stand before all others at every round
            new, upsert = self._sifted(path, contents.end, error, {PREDICTIONS: predictions}, upsert)
            append_new(lake, new, upsert=upsert, delete=gone)
        self._gone = []
        if len(self._known) > KNOWN_VECTORS:
            self._known.clear()
        self._known |= {vector.key for vector in vectors}

    def _sifted(
        self, path: Path, end: int, error: ContractError, *changes: Mapping[Table, pl.DataFrame]
    ) -> list[dict[Table, pl.DataFrame]]:
        """The changes without the rows that break a contract, which are on the disk before the others are in the lake.

        Their file is of those bytes of the journal: made again after a crash it is the same one.
        """
        fine, bad = list[dict[Table, pl.DataFrame]](), list[Refused]()
        for change in changes:
            sifted = {table: sift(table, frame) for table, frame in change.items()}
            fine.append({table: good for table, (good, _) in sifted.items()})
            bad += [refused for _, found in sifted.values() for refused in found]
        if not bad:
            raise error
        kept = path.with_name(f"{path.name}.{end}{REFUSED}")
        write(kept, bad)
        self.damage = f"{kept.name} holds {len(bad)} rows that the lake may not take, the first: {bad[0].why}; {ASIDE}"
        LOG.error("%s", self.damage)
        return fine

    def _unknown(self, lake: Lake, vectors: Sequence[VectorFacts]) -> list[VectorFacts]:
        """Those that the lake may not have yet: it is asked once about each."""
        new = [vector for vector in vectors if vector.key not in self._known]
        if not new:
            return []
        lake.ensure(VECTORS)
        stamps = [vector.ts_us for vector in new]
        there = lake.sql(
            "SELECT instrument, epoch_us(ts), feature_set_hash, vector_digest FROM serving.vectors "
            "WHERE ts BETWEEN make_timestamptz(?) AND make_timestamptz(?)",
            [min(stamps), max(stamps)],
        )
        found = set(there.iter_rows())
        return [vector for vector in new if vector.key not in found]

    def _remove(self, path: Path, contents: Contents, lost: int) -> None:
        """All of it is in the lake. A file that damage took something from is kept beside, for somebody to look at."""
        if contents.torn:
            _say_torn(path, contents.torn)
        if contents.damages or lost:
            spans = ", ".join(f"{damage.start} to {damage.end}" for damage in contents.damages)
            self._set_aside(
                path,
                f"is damaged (bytes {spans or 'none'}), {lost} answers behind that lack their forecast; the others are in "
                "serving.predictions. Check the disk, then remove the file",
            )
        else:
            path.unlink()
            sync_folder(path.parent)
            self._gone.append(path.name)

    def _set_aside(self, path: Path, why: str) -> None:
        """Keep a file for somebody to look at, out of the way of the others."""
        kept = path.with_name(path.name + DAMAGED)
        self.damage = f"{kept.name} {why}"
        LOG.error("%s", self.damage)
        path.rename(kept)
        sync_folder(path.parent)
        self._gone.append(path.name)


def _committed(lake: Lake, name: str) -> int:
    """How far the file was taken over by whoever tried before."""
    lake.ensure(JOURNALS)
    found = lake.sql("SELECT committed FROM serving.journals WHERE journal = ?", [name])
    return int(found["committed"][0]) if found.height else 0


def _say_torn(path: Path, torn: Torn) -> None:
    """Nobody has the answer whose frame was cut off: it leaves after its frame."""
    LOG.warning("%s ends in a frame of %d bytes that was cut off; its answer was never sent", path.name, torn.end - torn.start)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
