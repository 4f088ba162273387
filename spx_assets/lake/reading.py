"""Rows of a table at a snapshot: straight from its files by polars, or through DuckDB where the catalog is needed.

Belongs here: choosing the reader, order and projection. Does not: listing or scanning files, windows of partitions.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import duckdb
import polars as pl

from spx_assets.lake import contract, ddl, files, inlined
from spx_assets.lake.buffers import Buffers
from spx_assets.lake.tables import Table

if TYPE_CHECKING:
    from spx_assets.lake.connection import Lake


def rows(
    lake: "Lake",
    table: Table,
    *,
    snapshot: int,
    start: datetime | None,
    end: datetime | None,
    columns: Sequence[str] | None,
    instruments: Sequence[str] | None,
) -> pl.DataFrame:
    """Rows in [start, end) in key order; ValueError for a column the contract does not have."""
    wanted = list(table.schema()) if columns is None else list(columns)
    if unknown := [name for name in wanted if name not in table.schema()]:
        raise ValueError(f"{table.name} has no column {', '.join(unknown)}")
    scanned = list(dict.fromkeys([*wanted, *table.key]))
    found = lake.listing(table, snapshot)
    try:
        frame = _from(lake, table, found, snapshot, start, end, scanned, instruments)
    except OSError:
        # Upkeep has merged the files that were looked up before into others: look again, once.
        found = lake.listing(table, snapshot, again=True)
        frame = _from(lake, table, found, snapshot, start, end, scanned, instruments)
    if not contract.ordered(Buffers(frame), table.key):
        frame = frame.sort(table.key)
    return frame if frame.columns == wanted else frame.select(wanted)


def _from(
    lake: "Lake",
    table: Table,
    found: files.Listing,
    snapshot: int,
    start: datetime | None,
    end: datetime | None,
    columns: Sequence[str],
    instruments: Sequence[str] | None,
) -> pl.DataFrame:
    inside = found.within(start, end) if table.time else list(found.files)
    if not found.exists or (not inside and not found.inlined):
        return table.empty().select(columns)
    if found.inlined:
        known = inlined.rows(lake, table, found, snapshot, columns, start=start, end=end, instruments=instruments)
        if known is not None:
            return known
    if found.inlined or not all(file.plain for file in inside):
        return through_duckdb(lake, table, snapshot, columns, start=start, end=end, instruments=instruments)
    return files.scan(lake.location, table, inside, start=start, end=end, columns=columns, instruments=instruments)


def through_duckdb(
    lake: "Lake",
    table: Table,
    snapshot: int,
    columns: Sequence[str],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    instruments: Sequence[str] | None = None,
) -> pl.DataFrame:
    """The same rows in no promised order, read by DuckDB: it knows deleted rows and rows kept in the catalog.

    Instants are written out: with parameters the DuckDB client imports pandas, 0.6 CPU s of a sensor's first tick.
    """
    tests, params = [], list[object]()
    for test, edge in ((">=", start), ("<", end)):
        if edge is not None and table.time is not None:
            tests.append(f"{ddl.quoted(table.time)} {test} TIMESTAMPTZ '{edge.isoformat()}'")
    if instruments is not None:
        tests.append("instrument IN (SELECT unnest(?))")
        params.append(list(instruments))
    source = f"FROM {ddl.qualified(table)} AT (VERSION => {snapshot:d})"
    where = f" WHERE {' AND '.join(tests)}" if tests else ""

    def asked(there: Collection[str]) -> pl.DataFrame:
        lacking = {name for name in columns if table[name].nullable} - set(there)
        chosen = ", ".join(f"NULL AS {ddl.quoted(name)}" if name in lacking else ddl.quoted(name) for name in columns)
        return fetch(cursor, f"SELECT {chosen} {source}{where}", params)

    with lake.cursor() as cursor:
        try:
            found = asked(columns)
        except duckdb.BinderException:  # a snapshot of before the table had grown with its contract
            found = asked({name for name, *_ in cursor.execute(f"DESCRIBE SELECT * {source}").fetchall()})
    return found.cast({name: table.schema()[name] for name in columns})


def fetch(cursor: duckdb.DuckDBPyConnection, query: str, params: Sequence[object] | Mapping[str, object] = ()) -> pl.DataFrame:
    """The rows of a query.

    DuckDB's own way to polars needs pyarrow: 26 MB in a process such as the service, which reads few rows and nothing else. There
    they come through Arrow's C interface, which with parameters takes 3 us a row more.
    """
    if "pyarrow" in sys.modules:
        return cursor.execute(query, params).pl()
    found = cursor.sql(query, params=params or None)
    return pl.DataFrame(found) if found is not None else pl.DataFrame()
