"""One transaction of the lake: locks, changes, commit message, bounded retry.

Belongs here: what happens between taking the lock and releasing it. Does not: computing or checking rows.
"""

import contextlib
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import duckdb
import polars as pl

from spx_assets.lake import files, locks, session
from spx_assets.lake.ddl import qualified, quoted
from spx_assets.lake.errors import ContractError, LakeConflictError, LakeError
from spx_assets.lake.location import Location, literal
from spx_assets.lake.tables import Table

_RETRIABLE = ("conflict", "locked", "duplicate key", "unique constraint", "could not serialize", "deadlock detected")


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happens to one table: rows of `windows`, `matching` or the keys of `rows` go, `files` and `rows` come.

    `new`: the caller knows that no key of `rows` is there yet, so nobody looks for it.
    """

    table: Table
    windows: Sequence[tuple[datetime, datetime]] = ()
    matching: Mapping[str, object] | None = None
    files: Sequence[str] = ()
    rows: pl.DataFrame | None = None
    upsert: bool = False
    new: bool = False


def commit(location: Location, changes: Sequence[Change], *, author: str, message: str, extra: Mapping[str, object]) -> int:
    """Apply `changes` all or not at all; the snapshot they made. Raises LakeBusyError, LakeConflictError, ContractError."""
    names = [change.table.name for change in changes]
    attempts = location.settings.retries + 1
    for attempt in range(attempts):
        try:
            with locks.hold(location, names, purpose=message):
                return _attempt(location, changes, author, message, json.dumps(extra, default=str))
        except duckdb.Error as error:
            text = str(error)
            if not any(mark in text.lower() for mark in _RETRIABLE):
                raise LakeError(f"{message} failed and wrote nothing: {text.splitlines()[0]}") from error
            if attempt == attempts - 1:
                raise LakeConflictError(
                    f"{message} conflicted with other writers {attempts} times and wrote nothing ({text.splitlines()[0]}); "
                    "run it again"
                ) from error
        time.sleep(min(1.0, 0.02 * 2**attempt) * random.uniform(0.5, 1.5))
    raise AssertionError("unreachable")


def _attempt(location: Location, changes: Sequence[Change], author: str, message: str, extra: str) -> int:
    cursor = session.cursor(location, read_only=False)
    try:
        # The locks are held, so what lies in the windows now is what the transaction will find there.
        filled = [bool(change.windows) and _filled(cursor, location, change) for change in changes]
        cursor.execute("BEGIN")
        try:
            for change, replaces in zip(changes, filled, strict=True):
                _apply(cursor, change, replaces=replaces)
            cursor.execute("CALL lake.set_commit_message(?, ?, extra_info => ?)", [author, message, extra])
            cursor.execute("COMMIT")
        except BaseException:
            _rollback(cursor)
            raise
        found = cursor.execute("SELECT * FROM ducklake_last_committed_snapshot('lake')").fetchone()
        return int(found[0]) if found else -1
    finally:
        cursor.close()


def _rollback(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.TransactionException:
        return  # the failed COMMIT has rolled back already


def _filled(cursor: duckdb.DuckDBPyConnection, location: Location, change: Change) -> bool:
    """True if a window may hold rows: a DELETE that finds none costs 60-90 ms."""
    newest = files.ask(cursor, location, "SELECT max(snapshot_id) AS newest FROM {meta}.ducklake_snapshot")[0][0]
    found = files.listing(cursor, location, change.table, int(newest))
    return found.inlined or any(found.within(*window) for window in change.windows)


def _apply(cursor: duckdb.DuckDBPyConnection, change: Change, *, replaces: bool) -> None:
    name = qualified(change.table)
    if replaces and change.table.time is not None:
        column = quoted(change.table.time)
        test = " OR ".join(f"({column} >= ? AND {column} < ?)" for _ in change.windows)
        cursor.execute(f"DELETE FROM {name} WHERE {test}", [edge for window in change.windows for edge in window])
    if change.matching is not None:
        test = " AND ".join(f"{quoted(key)} = ?" for key in change.matching)
        cursor.execute(f"DELETE FROM {name} WHERE {test}", list(change.matching.values()))
    if change.files:
        layer, short = change.table.name.split(".")
        # allow_missing: columns that the contract has dropped stay in the lake and are null from now on.
        cursor.execute(
            "CALL ducklake_add_data_files('lake', ?, ?, schema => ?, allow_missing => true)", [short, list(change.files), layer]
        )
    if change.rows is not None and not change.rows.is_empty():
        _insert(cursor, change.table, change.rows, upsert=change.upsert, fresh=bool(change.windows) or change.new)


def _insert(cursor: duckdb.DuckDBPyConnection, table: Table, rows: pl.DataFrame, *, upsert: bool, fresh: bool) -> None:
    name = qualified(table)
    with _named(cursor, rows):
        same = " AND ".join(f"old.{quoted(key)} = new.{quoted(key)}" for key in table.key)
        if upsert:
            keys = ", ".join(quoted(key) for key in table.key)
            cursor.execute(f"DELETE FROM {name} WHERE ({keys}) IN (SELECT ({keys}) FROM spx_rows)")
        elif not fresh and not table.name.endswith("_partitions"):
            twice = cursor.execute(f"SELECT count(*) FROM {name} old JOIN spx_rows new ON {same}").fetchone()
            if twice and twice[0]:
                raise ContractError(
                    f"{table.name}: {twice[0]} row(s) to append have a key ({', '.join(table.key)}) that is there already"
                )
        cursor.execute(f"INSERT INTO {name} BY NAME SELECT * FROM spx_rows")


@contextlib.contextmanager
def _named(cursor: duckdb.DuckDBPyConnection, rows: pl.DataFrame) -> Iterator[None]:
    """Lets statements read `rows` as spx_rows.

    DuckDB takes a frame through pyarrow, 26 MB where nothing else has loaded it: there it reads a file.
    """
    if "pyarrow" in sys.modules:
        cursor.register("spx_rows", rows)
        try:
            yield
        finally:
            cursor.unregister("spx_rows")
        return
    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        rows.write_parquet(file.name)
        cursor.execute(f"CREATE OR REPLACE TEMP TABLE spx_rows AS SELECT * FROM read_parquet({literal(file.name)})")
    try:
        yield
    finally:
        cursor.execute("DROP TABLE spx_rows")


def merged(windows: Sequence[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """The windows in order, those that touch made one."""
    joined: list[tuple[datetime, datetime]] = []
    for start, end in sorted(windows):
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined
