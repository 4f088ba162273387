"""Tables of the lake, made from their contracts and grown with them.

Belongs here: CREATE and ALTER statements. Does not: rows.
"""

import threading

import duckdb

from spx_assets.lake import locks
from spx_assets.lake.errors import LakeError
from spx_assets.lake.location import Location, literal
from spx_assets.lake.tables import Table

# Small tables keep commits of up to this many rows in the catalog: a Parquet file of ten rows costs more than the rows.
INLINED_ROWS = 1000
_DESCRIBED = {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}

_ensured: set[tuple[str, str, int]] = set()
_guard = threading.Lock()


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def qualified(table: Table) -> str:
    """`lake.layer.table`, quoted."""
    layer, name = table.name.split(".")
    return f"lake.{quoted(layer)}.{quoted(name)}"


def ensure(cursor: duckdb.DuckDBPyConnection, location: Location, tables: tuple[Table, ...]) -> None:
    """Make `tables` exist with every column of their contracts. Costs one look per process and table."""
    for table in tables:
        done = (location.key, table.name, hash(table.columns))
        if done in _ensured:
            continue
        if _missing(cursor, table) != ([], []):
            with locks.hold(location, [table.name, "schema"], purpose=f"create {table.name}"):
                _create_or_grow(cursor, table)
        with _guard:
            _ensured.add(done)


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


def _create_or_grow(cursor: duckdb.DuckDBPyConnection, table: Table) -> None:
    name = qualified(table)
    cursor.execute("BEGIN")
    try:
        state = _missing(cursor, table)
        if state is None:
            columns = ", ".join(f"{quoted(c.name)} {c.type}{'' if c.nullable else ' NOT NULL'}" for c in table.columns)
            cursor.execute(f"CREATE SCHEMA IF NOT EXISTS lake.{quoted(table.layer)}")
            cursor.execute(f"CREATE TABLE {name} ({columns})")
            cursor.execute(f"COMMENT ON TABLE {name} IS {literal(table.description)}")
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
