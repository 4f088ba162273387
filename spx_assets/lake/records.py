"""Partition records: what was written for an asset's week, from what, by which run.

Belongs here: the record, its table beside each data table, the newest one per week, the inputs hash. Does not: writing
rows, judging staleness.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import TYPE_CHECKING

import polars as pl
import xxhash

from spx_assets.lake import tables
from spx_assets.lake.tables import Column, Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

RETENTION = "retention"
"""Run of a record that tells of rows deleted for their age: the week has fewer than were made."""


@dataclass(frozen=True, kw_only=True)
class PartitionRecord:
    """One replaced week. `read_snapshot` is where its inputs were read, `snapshot` the commit that wrote it."""

    asset: str
    week: date
    rows: int
    content_hash: str
    read_snapshot: int
    inputs_hash: str
    run_id: str
    committed_at: datetime
    snapshot: int | None = None


@cache
def records_table(table: Table) -> Table:
    """The table of partition records beside `table`: append only, the newest snapshot wins."""
    return Table(
        table.partitions,
        f"Partition records of {table.name}: append only, the newest wins",
        (
            Column("asset", "VARCHAR", "Asset that was made, e.g. silver/technical"),
            Column("week", "DATE", "Trading week, its Sunday"),
            Column("rows", "BIGINT", "Rows written", low=0),
            Column("content_hash", "VARCHAR", "xxh3_128 over the week's rows in key order"),
            Column("read_snapshot", "BIGINT", "Lake snapshot its inputs were read at"),
            Column("inputs_hash", "VARCHAR", "Hash of the code version and of the weeks read"),
            Column("run_id", "VARCHAR", "Run that made it"),
            Column("committed_at", "TIMESTAMPTZ", "Wall time of the commit"),
        ),
        key=("asset", "week", "committed_at"),
        time=None,
        clocked=False,
        records=False,
        small=True,
    )


def all_tables() -> list[Table]:
    """Every table of the lake, each followed by its partition records."""
    return [
        each for table in tables.registry().values() for each in ((table, records_table(table)) if table.records else (table,))
    ]


def frame(table: Table, records: Sequence[PartitionRecord]) -> pl.DataFrame:
    """Records as rows of their table."""
    schema = records_table(table).schema()
    return pl.DataFrame({name: [getattr(record, name) for record in records] for name in schema}, schema=schema)


def newest(
    lake: "Lake", table: str | Table, asset: str, *, weeks: Iterable[date] | None = None, snapshot: int | None = None
) -> dict[date, PartitionRecord]:
    """The newest record of each week that `asset` was ever made for, among `weeks` if given, as of `snapshot` if given."""
    contract = tables.table(table) if isinstance(table, str) else table
    wanted = None if weeks is None else set(weeks)
    found: dict[date, PartitionRecord] = {}
    for row in lake.record_rows(contract, asset, snapshot=snapshot):
        record = PartitionRecord(**row)
        if wanted is None or record.week in wanted:
            found[record.week] = record
    return dict(sorted(found.items()))


def inputs_hash(code_version: str, inputs: Iterable[tuple[str, date, str]]) -> str:
    """Hash of what a partition was made from: its code version and the (asset, week, content hash) of every week it read."""
    hasher = xxhash.xxh3_128(code_version.encode())
    for asset, week, content in sorted(inputs):
        hasher.update(f"\0{asset}\0{week.isoformat()}\0{content}".encode())
    return hasher.hexdigest()
