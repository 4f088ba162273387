"""Reading back what was committed: rows, contract and content hash of each week against its partition record.

Belongs here: judging stored weeks again, after the fact. Does not: the contract's rules (`contract`), repairing anything.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.lake import contract, hashing, tables
from spx_assets.lake.errors import ContractError
from spx_assets.lake.records import PartitionRecord, newest
from spx_assets.lake.tables import Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


@dataclass(frozen=True)
class Verified:
    """One week as it lies in the lake; `problem` is None if it is what its record and its contract say."""

    week: date
    rows: int
    problem: str | None


def report(
    lake: "Lake", table: str, *, asset: str, weeks: Sequence[date] | None = None, clocks: Mapping[str, datetime] | None = None
) -> list[Verified]:
    """Every week of `weeks` (default: all that were made), read at one snapshot in chunks of bounded size."""
    target, at = tables.table(table), lake.snapshot()
    made = newest(lake, target, asset, weeks=weeks, snapshot=at)
    wanted = sorted(made if weeks is None else weeks)
    size = lake.settings.lake.chunk_weeks
    return [
        verified
        for i in range(0, len(wanted), size)
        for verified in _chunk(lake, target, made, wanted[i : i + size], clocks=clocks or {}, snapshot=at)
    ]


def _chunk(
    lake: "Lake",
    table: Table,
    made: Mapping[date, PartitionRecord],
    weeks: Sequence[date],
    *,
    clocks: Mapping[str, datetime],
    snapshot: int,
) -> list[Verified]:
    found = []
    for run in _adjacent(weeks):
        start, end = calendar.week_window(run[0])[0], calendar.week_window(run[-1])[1]
        frame, bounds = hashing.by_week(table, lake.read(table.name, start=start, end=end, snapshot=snapshot), run)
        hashes = hashing.week_hashes(table, frame, bounds)
        broken = _broken(table, frame, clocks)
        for week in run:
            first, last = bounds[week]
            problem = _mismatch(made.get(week), last - first, hashes[week])
            if problem is None and broken:
                problem = _broken(table, frame[first:last], clocks)
            found.append(Verified(week, last - first, problem))
    return found


def _mismatch(record: PartitionRecord | None, rows: int, content_hash: str) -> str | None:
    if record is None:
        return "was never made"
    if record.rows != rows:
        return f"{rows} rows, its partition record says {record.rows}"
    return None if record.content_hash == content_hash else "its rows are not those its partition record hashed"


def _broken(table: Table, frame: pl.DataFrame, clocks: Mapping[str, datetime]) -> str | None:
    try:
        contract.check(table, frame, clocks=clocks)
    except ContractError as error:
        return str(error)
    return None


def _adjacent(weeks: Sequence[date]) -> list[list[date]]:
    """The weeks in runs without a hole."""
    runs: list[list[date]] = []
    for week in weeks:
        if runs and (week - runs[-1][-1]).days == 7:
            runs[-1].append(week)
        else:
            runs.append([week])
    return runs
