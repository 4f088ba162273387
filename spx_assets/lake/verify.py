"""Judging what was committed: each week's rows, contract and content hash against its partition record.

Belongs here: judging stored weeks, after the fact. Does not: the contract's rules (`contract`), repairing anything.

Rows pass their whole contract and are hashed before their commit. So of a week that nothing has touched since, as the catalog
says, only the key columns are read again: rows, unique key, clock, and that the files are there and readable. Every column is
read and hashed again where somebody else has written to the table, or where the caller does not rely on the catalog: five times
the CPU, 70 ms a week of ten tables.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from spx_assets import calendar
from spx_assets.lake import contract, hashing, tables
from spx_assets.lake.errors import ContractError
from spx_assets.lake.records import RETENTION, PartitionRecord, newest
from spx_assets.lake.tables import Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

# A chunk of key columns holds so many times the weeks of a chunk of all columns: 64 weeks x 6,900 bars x 20 bytes are 9 MB.
_KEY_CHUNK = 8


@dataclass(frozen=True)
class Verified:
    """One week as it lies in the lake; `problem` is None if it is what its record and its contract say."""

    week: date
    rows: int
    problem: str | None


def report(
    lake: "Lake",
    table: str,
    *,
    asset: str,
    weeks: Sequence[date] | None = None,
    clocks: Mapping[str, datetime] | None = None,
    reread: bool = False,
) -> list[Verified]:
    """Every week of `weeks` (default: all that were made) at one snapshot; `reread` reads and hashes every column again."""
    target, at = tables.table(table), lake.snapshot()
    made = newest(lake, target, asset, weeks=weeks, snapshot=at)
    wanted = sorted(made if weeks is None else weeks)
    vouched = set[date]() if reread else _vouched(lake, target, made, at)
    found: list[Verified] = []
    for whole, group in groupby(wanted, key=lambda week: week not in vouched):
        some = list(group)
        judged, size = (target, 1) if whole else (_keys_of(target), _KEY_CHUNK)
        size *= lake.settings.lake.chunk_weeks
        for i in range(0, len(some), size):
            found += _chunk(lake, target, judged, made, some[i : i + size], clocks=clocks or {}, snapshot=at)
    return found


def _vouched(lake: "Lake", table: Table, made: Mapping[date, PartitionRecord], at: int) -> set[date]:
    """Weeks whose rows nothing but recorded replacements can have changed since their inputs were read."""
    if not made:
        return set()
    foreign = lake.unrecorded(table, min(record.read_snapshot for record in made.values()), at)
    return set() if foreign is None else {week for week, record in made.items() if record.read_snapshot >= foreign}


def _keys_of(table: Table) -> Table:
    """The contract of the key columns alone."""
    return replace(table, columns=tuple(column for column in table.columns if column.name in {*table.key, table.time}))


def _chunk(
    lake: "Lake",
    table: Table,
    judged: Table,
    made: Mapping[date, PartitionRecord],
    weeks: Sequence[date],
    *,
    clocks: Mapping[str, datetime],
    snapshot: int,
) -> list[Verified]:
    """The columns of `judged` over `weeks`; hashes are compared where that is all of them."""
    found = []
    for run in calendar.week_runs(weeks):
        start, end = calendar.run_window(run)
        rows = lake.read(table, start=start, end=end, columns=list(judged.schema()), snapshot=snapshot)
        broken = _broken(judged, rows, clocks)
        frame, bounds = hashing.by_week(judged, rows, run)
        hashes = hashing.week_hashes(table, frame, bounds) if judged is table else {}
        for week in run:
            first, last = bounds[week]
            problem = _mismatch(made.get(week), last - first, hashes.get(week))
            if problem is None and broken:
                problem = _broken(judged, frame[first:last], clocks)
            found.append(Verified(week, last - first, problem))
    return found


def _mismatch(record: PartitionRecord | None, rows: int, content_hash: str | None) -> str | None:
    if record is None:
        return "was never made"
    if record.rows != rows:
        return f"{rows} rows, its partition record says {record.rows}"
    known = content_hash in (None, record.content_hash) or record.run_id == RETENTION
    return None if known else "its rows are not those its partition record hashed"


def _broken(table: Table, frame: pl.DataFrame, clocks: Mapping[str, datetime]) -> str | None:
    try:
        contract.check(table, frame, clocks=clocks)
    except ContractError as error:
        return str(error)
    return None
