"""What the catalog says, looked up by its own database and remembered for as long as it stays true.

Belongs here: snapshots, file listings and partition records without a plan over DuckLake's tables. Does not: rows of tables.

DuckDB scans a SQLite catalog table by table, 15-60 ms a question; handed over whole, SQLite or Postgres answers it in 1-3 ms.
The catalog is not opened by a second SQLite library: closing a file drops every lock its process has on it, DuckDB's too.
"""

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager
from datetime import date, datetime
from typing import Any, Protocol

import duckdb

from spx_assets.lake import ddl, files
from spx_assets.lake.location import Location, literal
from spx_assets.lake.records import records_table
from spx_assets.lake.tables import Table

_CACHED = 256
# How ducklake_snapshot_changes names a change of rows: 'inserted_into_table:4,inlined_insert:5'.
_ROWS_OF = re.compile(r"[a-z_]+:(\d+)")


class Connected(Protocol):
    """What a look-up needs of a lake."""

    location: Location

    def cursor(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]: ...


class Lookups:
    """Listings and records of one lake. A snapshot never changes, and most snapshots change few tables."""

    def __init__(self, lake: Connected) -> None:
        self._lake = lake
        self.listings: dict[tuple[Table, int], files.Listing] = {}
        self._records: dict[tuple[Table, str, int], list[dict[str, Any]]] = {}
        self._newest: dict[object, int] = {}
        self._touched: dict[tuple[int, int], frozenset[int] | None] = {}

    def snapshot(self) -> int:
        """Id of the newest snapshot."""
        with self._lake.cursor() as cursor:
            rows = files.ask(cursor, self._lake.location, "SELECT max(snapshot_id) AS newest FROM {meta}.ducklake_snapshot")
        return int(rows[0][0] or 0)

    def unchanged(self, tables: Iterable[Table], since: int, until: int) -> bool:
        """True if the catalog shows that no snapshot after `since`, up to `until`, changed any of the tables."""
        if since > until:
            return False
        touched = self._touched_by(since, until)
        return touched is not None and all(self.listing(table, until).table_id not in touched for table in tables)

    def only_changed(self, tables: Iterable[Table], since: int, until: int) -> bool:
        """True if the catalog shows that the snapshots after `since`, up to `until`, changed rows of these tables alone."""
        if since > until:
            return False
        touched = self._touched_by(since, until)
        return touched is not None and touched <= {self.listing(table, until).table_id for table in tables}

    def listing(self, table: Table, snapshot: int, *, again: bool = False) -> files.Listing:
        """The files of a table at a snapshot, looked up once, or `again` if upkeep has moved them."""
        found = None if again else self.listings.get((table, snapshot)) or self._carried_listing(table, snapshot)
        if found is None:
            with self._lake.cursor() as cursor:
                found = files.listing(cursor, self._lake.location, table, snapshot)
        _remember(self.listings, (table, snapshot), found)
        self._newest[table] = max(snapshot, self._newest.get(table, -1))
        return found

    def records(self, table: Table, asset: str, snapshot: int) -> list[dict[str, Any]]:
        """The newest partition record of every week of an asset, as rows."""
        found = self._records.get((table, asset, snapshot))
        if found is None:
            before = self._newest.get((table, asset), -1)
            if before >= 0 and self.unchanged([records_table(table)], before, snapshot):
                found = self._records.get((table, asset, before))
        if found is None:
            found = self._read_records(table, asset, snapshot)
        _remember(self._records, (table, asset, snapshot), found)
        self._newest[table, asset] = max(snapshot, self._newest.get((table, asset), -1))
        return found

    def _carried_listing(self, table: Table, snapshot: int) -> files.Listing | None:
        """The listing known from an earlier snapshot, if nothing has touched the table since."""
        before = self._newest.get(table, -1)
        known = self.listings.get((table, before))
        if known is None or before >= snapshot:
            return None
        touched = self._touched_by(before, snapshot)
        return known if touched is not None and known.table_id not in touched else None

    def unrecorded(self, table: Table, since: int, until: int) -> int | None:
        """The newest snapshot after `since`, up to `until`, that may have changed rows of `table` without recording it.

        `since` if there is none: then the table's rows are those that the partition records describe. None if it is not known.
        """
        changes = self._changes(since, until)
        if changes is None:
            return None
        rows, beside = (self.listing(each, until).table_id for each in (table, records_table(table)))
        foreign = [at for at, ids in changes.items() if ids is None or (rows in ids and beside not in ids)]
        return max(foreign, default=since)

    def _touched_by(self, since: int, until: int) -> frozenset[int] | None:
        """Ids of the tables whose rows changed after `since`, up to `until`; None if more than rows may have changed."""
        if since == until:
            return frozenset()
        if (since, until) not in self._touched:
            changes = self._changes(since, until)
            known = [ids for ids in changes.values() if ids is not None] if changes is not None else []
            whole = changes is not None and len(known) == len(changes)
            _remember(self._touched, (since, until), frozenset[int]().union(*known) if whole else None)
        return self._touched[since, until]

    def _changes(self, since: int, until: int) -> dict[int, frozenset[int] | None] | None:
        """Per snapshot after `since`, up to `until`, the ids of the tables whose rows it changed, None if it changed more.

        None altogether if there is a gap: what expired snapshots changed is not known any more.
        """
        with self._lake.cursor() as cursor:
            rows = files.ask(
                cursor,
                self._lake.location,
                "SELECT c.snapshot_id, c.changes_made FROM {meta}.ducklake_snapshot_changes c "
                "JOIN {meta}.ducklake_snapshot s USING (snapshot_id) "
                f"WHERE c.snapshot_id > {since:d} AND c.snapshot_id <= {until:d}",
            )
        return {int(at): _tables_of(text or "") for at, text in rows} if len(rows) == until - since else None

    def _read_records(self, table: Table, asset: str, snapshot: int) -> list[dict[str, Any]]:
        beside = records_table(table)
        listed = self.listing(beside, snapshot)
        if not listed.exists:
            return []
        columns = ", ".join(ddl.quoted(column.name) for column in beside.columns)
        if listed.files or self._lake.location.postgres:
            with self._lake.cursor() as cursor:
                rows = cursor.execute(
                    f"SELECT {columns}, snapshot_id FROM {ddl.qualified(beside)} AT (VERSION => {snapshot:d}) WHERE asset = ?",
                    [asset],
                ).fetchall()
        else:
            rows = self._inlined(listed.table_id, columns, asset, snapshot)
        names = [*(column.name for column in beside.columns), "snapshot"]
        found: dict[date, dict[str, Any]] = {}
        for row in sorted((dict(zip(names, row, strict=True)) for row in rows), key=_age):
            found[row["week"]] = row
        return list(found.values())

    def _inlined(self, table_id: int | None, columns: str, asset: str, snapshot: int) -> list[tuple[Any, ...]]:
        """Records that all live in the catalog: SQLite has no dates, they are text there."""
        location, rows = self._lake.location, list[tuple[Any, ...]]()
        with self._lake.cursor() as cursor:
            tables = files.ask(
                cursor,
                location,
                f"SELECT table_name FROM {{meta}}.ducklake_inlined_data_tables WHERE table_id = {table_id or 0:d}",
            )
            for (name,) in tables:
                rows += files.ask(
                    cursor,
                    location,
                    f"SELECT {columns}, begin_snapshot FROM {{meta}}.{ddl.quoted(name)} WHERE asset = {literal(asset)} "
                    f"AND begin_snapshot <= {snapshot:d} AND (end_snapshot IS NULL OR end_snapshot > {snapshot:d})",
                )
        return [
            (made, date.fromisoformat(week), int(n), content, int(read), *rest, datetime.fromisoformat(at), int(begin))
            for made, week, n, content, read, *rest, at, begin in rows
        ]


def _tables_of(changes: str) -> frozenset[int] | None:
    matches = [_ROWS_OF.fullmatch(change) for change in changes.split(",") if change]
    return frozenset(int(match.group(1)) for match in matches if match) if all(matches) else None


def _age(row: dict[str, Any]) -> tuple[int, datetime]:
    return row["snapshot"], row["committed_at"]


def _remember(cache: dict[Any, Any], key: object, value: object) -> None:
    while len(cache) >= _CACHED and key not in cache:
        cache.pop(next(iter(cache)), None)
    cache[key] = value
