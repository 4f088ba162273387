"""One journal file into the lake, a commit at a time, and then away.

Belongs here: what is committed together, which vectors go along, rows that the lake may not take, when a file may go. Does not:
which files are taken over and when (`flush`), rows (`rows`), transactions (`spx_assets.lake`).

How far a file was taken over is committed with its rows, and it is removed after its last row; so a process that dies anywhere
in between costs another look at the file, never a row and never a row twice.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from serving.frames import Torn
from serving.journal_file import sync_folder
from serving.ledger import rows
from serving.ledger.entries import Contents, VectorFacts, VectorKey
from serving.ledger.refused import REFUSED, Refused, sift, write
from spx_assets.lake import Lake
from spx_assets.lake.appending import append_new
from spx_assets.lake.errors import ContractError
from spx_assets.lake.serving_tables import JOURNALS, PREDICTIONS, VECTORS
from spx_assets.lake.tables import Table

LOG = logging.getLogger(__name__)
A_COMMIT = 10_000
"""Answers committed together, at 60 ms of CPU a commit: with 25,000 the service would take 15 MB more and 2 us less a row."""
DAMAGED = ".damaged"
ASIDE = "the others are in serving.predictions. See what made them, then remove the file"
KNOWN_VECTORS = 50_000


class Taking:
    """Takes journal files over, one thread's."""

    def __init__(self) -> None:
        self.damage: str | None = None
        """What of a journal could not be read, if anything ever could not."""
        self._known: set[VectorKey] = set()
        self._gone: list[str] = []

    def file(self, lake: Lake, path: Path) -> None:
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
