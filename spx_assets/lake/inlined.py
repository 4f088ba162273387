"""Rows of a small table that all live in a SQLite catalog, read by SQLite.

Belongs here: which tables can be read so, from SQLite's texts and numbers to the contract's types. Does not: rows in files.

DuckDB makes its plan over the whole catalog, at a process's first question in 0.25 CPU s, half of a service's start; SQLite
answers in 2 ms. Its texts of numbers are DuckDB's own, of as many digits as make the number again.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from spx_assets.lake import ddl, files
from spx_assets.lake.tables import Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake

MANY = 2_000
"""Rows from which on DuckDB's plan is dearer no more: five years of daily bars are 1,300."""
_READ: dict[str, Callable[[Any], object]] = {
    "VARCHAR": str,
    "DOUBLE": float,
    "BIGINT": int,
    "INTEGER": int,
    "BOOLEAN": lambda told: bool(int(told)),
    "TIMESTAMPTZ": datetime.fromisoformat,
    "DATE": date.fromisoformat,
}


def rows(
    lake: "Lake",
    table: Table,
    found: files.Listing,
    snapshot: int,
    columns: Sequence[str],
    *,
    start: datetime | None,
    end: datetime | None,
    instruments: Sequence[str] | None,
) -> pl.DataFrame | None:
    """Rows in [start, end) in no promised order; None where the table is not such a one."""
    tests = []
    if table.time is not None and start is not None:
        tests.append(pl.col(table.time) >= start)
    if table.time is not None and end is not None:
        tests.append(pl.col(table.time) < end)
    if instruments is not None:
        tests.append(pl.col("instrument").is_in(list(instruments)))
    read = list(dict.fromkeys([*columns, *(name for test in tests for name in test.meta.root_names())]))
    kinds = [table[name].type for name in read]
    if found.files or lake.location.postgres or not _READ.keys() >= set(kinds):
        return None
    told = _told(lake, found, snapshot, read)
    if told is None:
        return None
    readers = [_READ[kind] for kind in kinds]
    made = [[None if value is None else as_is(value) for as_is, value in zip(readers, row, strict=True)] for row in told]
    frame = pl.DataFrame(made, schema={name: table.schema()[name] for name in read}, orient="row")
    return (frame.filter(*tests) if tests else frame).select(columns)


def _told(lake: "Lake", found: files.Listing, snapshot: int, columns: Sequence[str]) -> list[tuple[Any, ...]] | None:
    location = lake.location
    with lake.cursor() as cursor:
        tables = files.ask(
            cursor,
            location,
            f"SELECT table_name FROM {{meta}}.ducklake_inlined_data_tables WHERE table_id = {found.table_id or 0:d}",
        )
        if len(tables) != 1:  # its columns were changed: rows of before lack some
            return None
        # By the table's name, too: what SQLite knows no column of it takes for a text.
        chosen = ", ".join(f"r.{ddl.quoted(name)}" for name in columns)
        try:
            told = files.ask(
                cursor,
                location,
                f"SELECT {chosen} FROM {{meta}}.{ddl.quoted(tables[0][0])} r WHERE r.begin_snapshot <= {snapshot:d} "
                f"AND (r.end_snapshot IS NULL OR r.end_snapshot > {snapshot:d}) LIMIT {MANY + 1:d}",
            )
        except duckdb.Error:  # upkeep has moved them into a file meanwhile: DuckDB finds them
            return None
    return told if len(told) <= MANY else None
