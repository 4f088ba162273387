"""Tables of the lake, made from their contracts and grown with them.

Belongs here: CREATE and ALTER statements. Does not: rows.
"""

import threading
from collections.abc import Iterable

import duckdb

from spx_assets.lake import files, locks
from spx_assets.lake.errors import LakeError
from spx_assets.lake.location import Location, literal
from spx_assets.lake.tables import Table

# Small tables keep commits of up to this many rows in the catalog: a Parquet file of ten rows costs more than the rows.
INLINED_ROWS = 1000
_DESCRIBED = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}
_LAKE_TYPES = {
    "VARCHAR": "varchar",
    "TIMESTAMPTZ": "timestamptz",
    "DATE": "date",
    "DOUBLE": "float64",
    "FLOAT": "float32",
    "BIGINT": "int64",
    "INTEGER": "int32",
    "TINYINT": "int8",
    "BOOLEAN": "boolean",
}
_TABLES = """SELECT s.schema_name, t.table_name, t.table_id FROM {meta}.ducklake_table t
    JOIN {meta}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL WHERE t.end_snapshot IS NULL"""
_COLUMNS = """SELECT s.schema_name, t.table_name, c.column_name, c.column_type, c.nulls_allowed FROM {meta}.ducklake_column c
    JOIN {meta}.ducklake_table t ON t.table_id = c.table_id AND t.end_snapshot IS NULL
    JOIN {meta}.ducklake_schema s ON s.schema_id = t.schema_id AND s.end_snapshot IS NULL
    WHERE c.end_snapshot IS NULL AND c.parent_column IS NULL ORDER BY c.table_id, c.column_order"""

_ensured: set[tuple[str, str, int]] = set()
_guard = threading.Lock()


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(table: Table) -> str:
    """`lake.layer.table`, quoted."""
    layer, name = table.name.split(".")
    return f"lake.{quoted(layer)}.{quoted(name)}"


def create_all(cursor: duckdb.DuckDBPyConnection, location: Location, tables: Iterable[Table]) -> None:
    """Make the tables that a new lake lacks in one transaction, and say in one statement which keep few rows in the catalog.

    A table at a time costs 150 ms, two commits and an option. The caller attaches again: options are read when a lake is
    attached.
    """
    there = _columns(cursor, location)
    cursor.execute("BEGIN")
    try:
        for table in tables:
            if table.name not in there:
                _create(cursor, table)
        cursor.execute("COMMIT")
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    ids = {f"{layer}.{name}": int(table_id) for layer, name, table_id in files.ask(cursor, location, _TABLES)}
    rows = ["('parquet_compression', 'lz4_raw', NULL, NULL)"]
    rows += [f"('data_inlining_row_limit', '{INLINED_ROWS}', 'table', {ids[table.name]})" for table in tables if table.small]
    cursor.execute(f"INSERT INTO {location.metadata_schema}.ducklake_metadata VALUES {', '.join(rows)}")


def ensure(cursor: duckdb.DuckDBPyConnection, location: Location, tables: tuple[Table, ...]) -> None:
    """Make `tables` exist with every column of their contracts. Costs one look per process."""
    new = unseen(location, tables)
    if not new:
        return
    there = _columns(cursor, location)
    for table in new:
        done = _done(location, table)
        if there.get(table.name) == [(c.name, _LAKE_TYPES[c.type], c.nullable) for c in table.columns]:
            with _guard:
                _ensured.add(done)
            continue
        if _missing(cursor, table) != ([], []):
            with locks.hold(location, [table.name, "schema"], purpose=f"create {table.name}"):
                _create_or_grow(cursor, table)
        with _guard:
            _ensured.add(done)


def unseen(location: Location, tables: Iterable[Table]) -> list[Table]:
    """Those of `tables` that this process has not yet looked at."""
    return [table for table in tables if _done(location, table) not in _ensured]


def _done(location: Location, table: Table) -> tuple[str, str, int]:
    return location.key, table.name, hash(table.columns)


def _columns(cursor: duckdb.DuckDBPyConnection, location: Location) -> dict[str, list[tuple[str, str, bool]]]:
    """(name, DuckLake type, nullable) of every column of every table, in their order."""
    found: dict[str, list[tuple[str, str, bool]]] = {}
    for layer, table, name, kind, nullable in files.ask(cursor, location, _COLUMNS):
        found.setdefault(f"{layer}.{table}", []).append((name, kind, bool(int(nullable))))
    return found


def forget(location: Location) -> None:
    """Look again at every table of this lake; for a lake that was removed and made anew."""
    with _guard:
        _ensured.difference_update([done for done in _ensured if done[0] == location.key])


def _missing(cursor: duckdb.DuckDBPyConnection, table: Table) -> tuple[list[str], list[str]] | None:
    """(contract columns the lake lacks, required lake columns the contract lacks); None if there is no such table."""
    try:
        found = {name: (kind, null) for name, kind, null, *_ in cursor.execute(f"DESCRIBE {qualified(table)}").fetchall()}
    except duckdb.CatalogException:
        return None
    for column in table.columns:
        kind = _DESCRIBED.get(column.type, column.type)
        if column.name in found and found[column.name][0] != kind:
            raise LakeError(
                f"{table.name}.{column.name} is {found[column.name][0]} in the lake and {kind} in its contract; "
                "use a new home, or move the old column away with ALTER TABLE ... RENAME"
            )
    wanted = {column.name for column in table.columns}
    left = [name for name, (_, null) in found.items() if name not in wanted and null == "NO"]
    return [column.name for column in table.columns if column.name not in found], left


def _create(cursor: duckdb.DuckDBPyConnection, table: Table) -> None:
    columns = ", ".join(f"{quoted(c.name)} {c.type}{'' if c.nullable else ' NOT NULL'}" for c in table.columns)
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS lake.{quoted(table.layer)}")
    cursor.execute(f"CREATE TABLE {qualified(table)} ({columns})")
    cursor.execute(f"COMMENT ON TABLE {qualified(table)} IS {literal(table.description)}")


def _create_or_grow(cursor: duckdb.DuckDBPyConnection, table: Table) -> None:
    name = qualified(table)
    cursor.execute("BEGIN")
    try:
        state = _missing(cursor, table)
        if state is None:
            _create(cursor, table)
        else:
            for missing in state[0]:
                # Without NOT NULL: the rows written before have no value.
                cursor.execute(f"ALTER TABLE {name} ADD COLUMN {quoted(missing)} {table[missing].type}")
            for left in state[1]:
                cursor.execute(f"ALTER TABLE {name} ALTER COLUMN {quoted(left)} DROP NOT NULL")
        cursor.execute("COMMIT")
    except BaseException:
        cursor.execute("ROLLBACK")
        raise
    if table.small:
        layer, short = table.name.split(".")
        cursor.execute(
            f"CALL lake.set_option('data_inlining_row_limit', {INLINED_ROWS}, schema => ?, table_name => ?)", [layer, short]
        )
