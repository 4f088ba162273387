"""Deleting the rows of old trading weeks, a few weeks a transaction, beside readers and writers.

Belongs here: the delete and the partition records that tell of it. Does not: how old is too old (`upkeep.retention`).

A week's record keeps the hash of what was made, so nothing that was made of it becomes stale; its `rows` say what is left, and
its run `retention` that it may not be looked back on any more.
"""

import contextlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import polars as pl

from spx_assets import calendar
from spx_assets.lake import locks, records
from spx_assets.lake.connection import Lake
from spx_assets.lake.ddl import qualified, quoted
from spx_assets.lake.errors import LakeError
from spx_assets.lake.records import PartitionRecord
from spx_assets.lake.tables import Table

RUN = records.RETENTION
STEP = timedelta(weeks=26)
"""Half a year of minutes is 180,000 rows, of whose keys counting and marking takes 0.2 s under the lock."""


def delete_before(lake: Lake, table: Table, week: date, *, instrument: str | None = None) -> int:
    """Delete the rows of all weeks before `week`, of one instrument if it is named; how many."""
    column = "ts" if "ts" in table.schema() else table.time
    assert column is not None, f"{table.name} has no time"
    end, deleted = calendar.week_window(week)[0], 0
    while True:
        start = _first(lake, table, column, instrument, end)
        if start is None:
            return deleted
        first = calendar.week_of(start)
        upto = min(end, calendar.week_window(first + STEP)[0])
        deleted += _delete(lake, table, column, instrument, calendar.weeks_between(calendar.week_window(first)[0], upto))


def _first(lake: Lake, table: Table, column: str, instrument: str | None, end: datetime) -> datetime | None:
    """The oldest row before `end`."""
    of = "" if instrument is None else " AND instrument = ?"
    with lake.cursor() as cursor:
        found = cursor.execute(
            f"SELECT min({quoted(column)}) FROM {qualified(table)} WHERE {quoted(column)} < ?{of}",
            [end, *([] if instrument is None else [instrument])],
        ).fetchone()
    return found[0].astimezone(UTC) if found and found[0] is not None else None


def _delete(lake: Lake, table: Table, column: str, instrument: str | None, weeks: Sequence[date]) -> int:
    """One transaction: the rows go, and the records of the weeks say what is left."""
    (start, end), beside = calendar.run_window(weeks), [table]
    if table.records:
        beside.append(records.records_table(table))
    of = "" if instrument is None else " AND instrument = ?"
    who = [] if instrument is None else [instrument]
    with locks.hold(lake.location, [each.name for each in beside], purpose=f"retention of {table.name}"), lake.cursor() as cursor:
        changed = _records(lake, table, column, instrument, weeks) if table.records else pl.DataFrame()
        cursor.execute("BEGIN")
        try:
            done = cursor.execute(
                f"DELETE FROM {qualified(table)} WHERE {quoted(column)} >= ? AND {quoted(column)} < ?{of}", [start, end, *who]
            ).fetchone()
            if not changed.is_empty():
                cursor.register("spx_records", changed)
                cursor.execute(f"INSERT INTO {qualified(beside[1])} BY NAME SELECT * FROM spx_records")
            message = [f"retention of {table.name}", json.dumps(who)]
            cursor.execute("CALL lake.set_commit_message('spx', ?, extra_info => ?)", message)
            cursor.execute("COMMIT")
        except duckdb.Error as error:
            with contextlib.suppress(duckdb.TransactionException):  # a failed COMMIT has rolled back already
                cursor.execute("ROLLBACK")
            raise LakeError(
                f"retention of {table.name} stopped, its other weeks are as they were: {error}; run it again"
            ) from error
    return int(done[0]) if done else 0


def _records(lake: Lake, table: Table, column: str, instrument: str | None, weeks: Sequence[date]) -> pl.DataFrame:
    """New records of the weeks that hold rows, with the rows that will be left of them."""
    start, end = calendar.run_window(weeks)
    at, now = lake.snapshot(), datetime.now(UTC)
    columns = [column] if instrument is None else [column, "instrument"]
    with lake.cursor() as cursor:
        listed = ", ".join(map(quoted, columns))
        rows = cursor.execute(
            f"SELECT {listed} FROM {qualified(table)} WHERE {quoted(column)} >= ? AND {quoted(column)} < ?", [start, end]
        ).pl()
        makers = cursor.execute(f"SELECT DISTINCT asset FROM {qualified(records.records_table(table))}").fetchall()
    left = rows.head(0) if instrument is None else rows.filter(pl.col("instrument") != instrument)
    kept = left.group_by(calendar.week_expr(calendar.trading_day_expr(pl.col(column))).alias("week")).len()
    counts = {week: int(number) for week, number in kept.iter_rows()}
    made: list[PartitionRecord] = []
    for (asset,) in makers:
        for week, record in records.newest(lake, table, asset, weeks=weeks, snapshot=at).items():
            if record.rows > counts.get(week, 0):
                made.append(replace(record, rows=counts.get(week, 0), run_id=RUN, read_snapshot=at, committed_at=now))
    return records.frame(table, made)
