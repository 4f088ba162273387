"""What was answered, read back from the journals and the lake.

Belongs here: answers newest first, each once wherever it lies. Does not: routes, writing, what came of them (`recorded`).

Journals are read before the lake: an answer that is taken over in between is found twice and shown once, never missed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import polars as pl

from serving.journal import began_at, paths
from serving.ledger import ids, rows
from serving.ledger.entries import Contents
from serving.problems import LakeUnavailable
from spx_assets import SpxError
from spx_assets.lake import Lake
from spx_assets.lake.serving_tables import PREDICTIONS
from spx_assets.settings import Settings

ERRORS = (SpxError, duckdb.Error, OSError)
SLACK = timedelta(seconds=1)
"""Between the time inside an id and the end of the write that follows it."""


FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
"""No answer lies outside of them; beyond, where the calendar ends, times cannot be reckoned with."""
_AFTER_ALL = "g"
"""Behind every id: they are hexadecimal."""
_BACK = (timedelta(minutes=5), timedelta(hours=3), timedelta(days=4), timedelta(days=120), None)
_STORED = """SELECT * FROM serving.predictions
    WHERE id >= $low AND id < $high AND answered_at >= $start AND answered_at < $end
      AND ($instrument IS NULL OR instrument = $instrument)
    ORDER BY id DESC LIMIT $limit"""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which answers: of [start, end), of an instrument if one is named, with an id in [low, high)."""

    start: datetime = FIRST
    end: datetime = LAST
    instrument: str | None = None
    low: str = ""
    high: str = _AFTER_ALL

    @classmethod
    def named(cls, id_: str) -> "Wanted":
        """The answer with this id. It says when it was made: whole files of other times are passed over."""
        at = ids.answered_at(id_)
        return cls(start=at - SLACK, end=at + SLACK, low=id_, high=id_ + _AFTER_ALL)

    def tests(self) -> list[pl.Expr]:
        within = [pl.col("answered_at") >= self.start, pl.col("answered_at") < self.end]
        named = [pl.col("id") >= self.low, pl.col("id") < self.high]
        return [*within, *named, *([pl.col("instrument") == self.instrument] if self.instrument is not None else [])]

    @property
    def last(self) -> datetime:
        """None of them was answered later."""
        return self.end if self.high == _AFTER_ALL else min(self.end, ids.answered_at(self.high) + SLACK)

    def parameters(self) -> dict[str, object]:
        """The same for `_STORED`. Ids sort by time, so a range of time is one of ids, by which files are passed over."""
        low = ids.earliest(max(self.start, FIRST + SLACK) - SLACK)
        high = ids.earliest(min(self.end, LAST - SLACK) + SLACK)
        asked = {"start": self.start, "end": self.end, "instrument": self.instrument}
        return {**asked, "low": max(self.low, low), "high": min(self.high, high)}


def newest(settings: Settings, folder: Path, wanted: Wanted, *, limit: int) -> pl.DataFrame:
    """The newest answers of the home, rows of `serving.predictions`, newest first. LakeUnavailable where it cannot be read."""
    waiting = _waiting(folder, wanted, limit)
    try:
        kept = stored(Lake.open(settings, read_only=True), wanted, limit)
    except ERRORS as error:
        raise LakeUnavailable(error) from error
    return pl.concat([waiting, kept]).unique("id", keep="last").sort("id", descending=True).head(limit)


def _waiting(folder: Path, wanted: Wanted, limit: int) -> pl.DataFrame:
    """Those in journals. From the file written to last on, until no older one can hold a newer answer than those found."""
    found = PREDICTIONS.empty()
    for path, last in sorted(_files(folder), key=lambda file: file[1], reverse=True):
        if last + SLACK < wanted.start or began_at(path) - SLACK > wanted.last:
            continue
        if found.height == limit and last + SLACK < found["answered_at"][-1]:
            break
        found = pl.concat([found, read(path).filter(wanted.tests())]).sort("id", descending=True).head(limit)
    return found


def read(path: Path) -> pl.DataFrame:
    """The answers in a journal file, be it written to or not; none if it was removed meanwhile: they are in the lake then."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return PREDICTIONS.empty()
    contents = Contents()
    for _ in contents.read(data, answers=len(data)):
        pass
    answers = contents.take()
    return rows.predictions(contents, answers) if len(answers) else PREDICTIONS.empty()


def conform(found: pl.DataFrame) -> pl.DataFrame:
    """Rows that DuckDB read, with the types of the contract."""
    return found.select(pl.col(name).cast(kind) for name, kind in PREDICTIONS.schema().items())


def _files(folder: Path) -> Iterator[tuple[Path, datetime]]:
    """The journal's files and when each was written to last."""
    for path in paths(folder):
        try:
            yield path, datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:
            continue


def stored(lake: Lake, wanted: Wanted, limit: int) -> pl.DataFrame:
    """The newest of the lake, newest first. Looks back over longer and longer times, each of which names the files it needs: of a
    million answers the last hundred are found in 0.1 s, all at once in 0.6. The few that the catalog itself keeps are asked for
    at once: five looks cost 60 ms of CPU each.
    """
    listed = lake.listing(PREDICTIONS, lake.snapshot())
    if not (listed.exists and (listed.files or listed.inlined)):
        return PREDICTIONS.empty()  # to plan a query of 32 columns takes DuckLake 40 ms of CPU
    last = min(wanted.last, datetime.now(UTC) + SLACK)
    for back in _BACK if listed.files else (None,):
        start = max(wanted.start, last - back) if back is not None else wanted.start
        found = lake.sql(_STORED, {**replace(wanted, start=start).parameters(), "limit": limit})
        if found.height == limit or start == wanted.start:
            break
    return conform(found).sort("id", descending=True)
