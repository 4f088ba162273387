"""Upkeep: merge small files, expire snapshots, delete files that nothing refers to.

Belongs here: bounded steps, each under the lock of the table it touches, safe beside readers and writers. Does not: when to run.

Nothing younger than `SPX_LAKE__KEEP_FILES_H` is ever removed: a running transaction's files are referred to by nobody yet, and
a reader at an older snapshot still reads what has been replaced since.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import duckdb
import polars as pl

from spx_assets.lake import ddl, files, locks, tables
from spx_assets.lake.connection import Lake, contract_of
from spx_assets.lake.errors import LakeError
from spx_assets.lake.location import literal
from spx_assets.lake.records import records_table
from spx_assets.lake.tables import Table

# One step merges at most 8 files of 4 MB, 0.3-0.7 s of CPU: a lock is held under a second. 32 MB are 8 weeks of the widest
# table, and 4 MB one of its weeks. Five files of 28 MB in one step held it for 2.6 s of CPU.
TARGET_BYTES = 32_000_000
FILES_A_STEP = 8
SMALL_BYTES = TARGET_BYTES // FILES_A_STEP
SNAPSHOTS_A_STEP = 200
MANY_INLINED = 10_000


@dataclass(frozen=True)
class Merged:
    """What `compact` did to one table."""

    table: str
    files_before: int
    files_after: int


def compact(lake: Lake, names: Iterable[str | Table] | None = None) -> list[Merged]:
    """Merge each table's files below 4 MB up to 32 MB and write deleted rows out of the others, a few files a step."""
    done = []
    for table in _tables(lake, names):
        before = _live_files(lake, table)
        layer, name = table.name.split(".")
        if not flush_inlined(lake, table) and not before:
            # Most tables of a home keep their few rows in the catalog; asking DuckLake to merge them costs 60 ms of CPU each.
            done.append(Merged(table.name, 0, 0))
            continue
        for call in (
            f"SELECT * FROM ducklake_rewrite_data_files('lake', $2, schema => $1, delete_threshold => {1e-9!r})",
            f"SELECT * FROM ducklake_merge_adjacent_files('lake', $2, schema => $1, max_compacted_files => {FILES_A_STEP}, "
            f"max_file_size => {SMALL_BYTES})",
        ):
            # As many steps as the files there were at first need: beside a busy writer there is always one more to merge.
            for _ in range(before // FILES_A_STEP + 1):
                if not _step(lake, [table], call, layer, name):
                    break
        done.append(Merged(table.name, before, _live_files(lake, table)))
    return done


def flush_inlined(lake: Lake, name: str | Table) -> bool:
    """Write the rows of a small table that the catalog keeps to a file if they have become many; whether they had."""
    table = contract_of(name)
    if not table.small or _inlined(lake, table) <= MANY_INLINED:
        return False
    statement = "SELECT * FROM ducklake_flush_inlined_data('lake', schema_name => ?, table_name => ?)"
    return bool(_step(lake, [table], statement, *table.name.split(".")))


def expire_snapshots(lake: Lake, *, older_than: timedelta, keep: Iterable[int] = (), before: datetime | None = None) -> int:
    """Forget snapshots that gave way that long ago, or, if that is earlier, `before` an instant; but none of `keep`.

    Their files wait for `delete_old_files`. Returns how many. A snapshot's age counts from its successor: until then it was the
    newest, whatever its own time, and a run that began then reads it still.
    """
    _old_enough(lake, older_than)
    meta, count, kept = lake.location.metadata_schema, 0, pl.DataFrame({"kept": sorted(keep)}, schema={"kept": pl.Int64})
    edge = min(datetime.now(UTC) - older_than, before or datetime.max.replace(tzinfo=UTC))
    while True:
        with lake.cursor() as cursor:
            cursor.register("spx_kept", kept)
            rows = cursor.execute(
                "SELECT snapshot_id FROM (SELECT CAST(snapshot_id AS BIGINT) AS snapshot_id, "
                "lead(CAST(snapshot_time AS TIMESTAMPTZ)) OVER (ORDER BY CAST(snapshot_id AS BIGINT)) AS gave_way "
                f"FROM {meta}.ducklake_snapshot) WHERE gave_way < ? AND snapshot_id NOT IN (SELECT kept FROM spx_kept) "
                f"ORDER BY snapshot_id LIMIT {SNAPSHOTS_A_STEP}",
                [edge],
            ).fetchall()
        found = [row[0] for row in rows]
        if not found:
            return count
        versions = ", ".join(str(int(snapshot)) for snapshot in found)
        _step(lake, _tables(lake, None), f"SELECT * FROM ducklake_expire_snapshots('lake', versions => [{versions}])")
        count += len(found)


def delete_old_files(lake: Lake, *, older_than: timedelta) -> list[str]:
    """Delete files that no snapshot has referred to for that long. Returns their names."""
    return _delete(lake, "ducklake_cleanup_old_files", older_than)


def delete_orphaned_files(lake: Lake, *, older_than: timedelta) -> list[str]:
    """Delete files under the data path that the catalog does not know: staged by runs that died. Returns their names."""
    return _delete(lake, "ducklake_delete_orphaned_files", older_than)


def _delete(lake: Lake, function: str, older_than: timedelta) -> list[str]:
    _old_enough(lake, older_than)
    edge = (datetime.now(UTC) - older_than).isoformat()
    return [
        str(row[0])
        for row in _step(lake, _tables(lake, None), f"SELECT * FROM {function}('lake', older_than => TIMESTAMPTZ '{edge}')")
    ]


def _old_enough(lake: Lake, older_than: timedelta) -> None:
    keep = timedelta(hours=lake.settings.lake.keep_files_h)
    if older_than < keep:
        raise LakeError(
            f"an age of {older_than} is below SPX_LAKE__KEEP_FILES_H ({keep}): younger files may belong to a running "
            "transaction or reader; ask for an older age"
        )


def _step(lake: Lake, among: list[Table], statement: str, *params: object) -> list[tuple[object, ...]]:
    """One statement under the tables' locks. A conflict with another process's commit ends the step without harm."""
    with locks.hold(lake.location, [table.name for table in among], purpose="maintenance"), lake.cursor() as cursor:
        try:
            return cursor.execute(statement, params or None).fetchall()
        except duckdb.TransactionException as error:
            if "conflict" in str(error).lower():
                return []
            raise LakeError(f"maintenance stopped, nothing was lost: {str(error).splitlines()[0]}") from error


def _tables(lake: Lake, names: Iterable[str | Table] | None) -> list[Table]:
    """The tables that exist in the lake, records tables included."""
    chosen = [contract_of(name) for name in names] if names is not None else list(tables.registry().values())
    there = set(
        lake.sql("SELECT schema_name || '.' || table_name AS name FROM duckdb_tables() WHERE database_name = 'lake'")["name"]
    )
    both = [each for table in chosen for each in ((table, records_table(table)) if table.records else (table,))]
    return [table for table in both if table.name in there]


def _live_files(lake: Lake, table: Table) -> int:
    with lake.cursor() as cursor:
        name = table.name.split(".")
        return len(
            cursor.execute("SELECT data_file FROM ducklake_list_files('lake', ?, schema => ?)", [name[1], name[0]]).fetchall()
        )


def _inlined(lake: Lake, table: Table) -> int:
    """Rows in the catalog itself, those that were deleted since included: it keeps them for older snapshots."""
    location, (layer, short) = lake.location, table.name.split(".")
    with lake.cursor() as cursor:
        held = files.ask(
            cursor,
            location,
            "SELECT i.table_name AS held FROM {meta}.ducklake_inlined_data_tables i "
            "JOIN {meta}.ducklake_table t ON t.table_id = i.table_id AND t.end_snapshot IS NULL "
            "JOIN {meta}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL "
            f"WHERE s.schema_name = {literal(layer)} AND t.table_name = {literal(short)}",
        )
        counts = [files.ask(cursor, location, f"SELECT count(*) AS n FROM {{meta}}.{ddl.quoted(name)}") for (name,) in held]
    return sum(int(found[0][0]) for found in counts)
