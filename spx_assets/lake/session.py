"""One DuckDB instance a process for each lake and mode, attached once.

Belongs here: opening, sharing and forking of connections. Does not: tables, statements.

Opening costs 0.1 s, the first process at a lake 0.4 s more, for the extensions' signatures; a cursor 0.1 ms: so
callers take a cursor per call from the shared instance.
"""

import ctypes
import os
import threading
from pathlib import Path

import duckdb

from spx_assets.lake import ddl, extensions, locks, records
from spx_assets.lake.errors import LakeError, LakeMissingError
from spx_assets.lake.location import Location

_instances: dict[tuple[str, bool], duckdb.DuckDBPyConnection] = {}
_guard = threading.Lock()


def cursor(location: Location, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """A cursor of this process's instance, opened if need be; close it after use."""
    with _guard:
        instance = _instances.get((location.key, read_only))
        if instance is None:
            instance = _instances[location.key, read_only] = _open(location, read_only=read_only)
        opened = instance.cursor()
    # Not a global setting. Standard output belongs to the caller: `spx sql` writes CSV there.
    opened.execute("SET enable_progress_bar = false")
    return opened


def require(location: Location) -> None:
    """LakeMissingError unless the lake is there now: an open connection does not say so."""
    if not location.postgres and not Path(location.catalog).is_file():
        raise _missing(location)
    cursor(location, read_only=True).close()


def close(location: Location, *, read_only: bool) -> None:
    """Close this process's instance; the next `cursor` opens a new one."""
    with _guard:
        instance = _instances.pop((location.key, read_only), None)
    if instance is not None:
        instance.close()


def _open(location: Location, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    settings = location.settings
    # A writer's statements are small: a second thread only waits for the first, spinning (up to twice the CPU time).
    threads = settings.threads if read_only else 1
    kept = None if location.postgres else Path(location.catalog).with_name("extensions.json")
    known = extensions.accepted(location.extensions, kept)
    instance = duckdb.connect(
        config={"memory_limit": settings.memory_limit, "threads": threads, "allow_unsigned_extensions": known}
    )
    try:
        location.prepare(instance)
        instance.execute("SET GLOBAL allow_unsigned_extensions = false")
        # GLOBAL: cursors inherit it. Without it frames come back in the machine's zone and polars refuses to compare them.
        instance.execute("SET GLOBAL TimeZone = 'UTC'")
        if read_only:
            _attach_reading(instance, location)
        else:
            _attach_writing(instance, location)
        if kept:
            extensions.keep(kept)
    except BaseException:
        instance.close()
        raise
    return instance


def _attach_reading(instance: duckdb.DuckDBPyConnection, location: Location) -> None:
    if not location.postgres and not Path(location.catalog).is_file():
        raise _missing(location)
    try:
        instance.execute(location.attach(read_only=True))
    except duckdb.Error as error:
        if "does not exist" in str(error) or "creating a new DuckLake" in str(error):
            raise _missing(location) from error
        raise _cannot_attach(location, error) from error


def _attach_writing(instance: duckdb.DuckDBPyConnection, location: Location) -> None:
    if not location.postgres:
        Path(location.catalog).parent.mkdir(parents=True, exist_ok=True)
    if not location.s3:
        Path(location.data).mkdir(parents=True, exist_ok=True)
    # Under the lock: of two processes that open a new lake at once, one makes its catalog and the other finds it.
    with locks.hold(location, ["catalog"], purpose="open the lake"):
        try:
            instance.execute(location.attach(read_only=False))
            options = dict(
                instance.execute("SELECT option_name, value FROM ducklake_options('lake') WHERE scope = 'GLOBAL'").fetchall()
            )
            # Rows go to Parquet unless a table says it is small; the default inlines any commit of up to 10 rows.
            if "parquet_compression" not in options:
                if options.get("data_inlining_row_limit") != "0":
                    instance.execute("CALL lake.set_option('data_inlining_row_limit', 0)")
                ddl.create_all(instance, location, records.all_tables())
                instance.execute("DETACH lake")
                instance.execute(location.attach(read_only=False))
        except duckdb.Error as error:
            raise _cannot_attach(location, error) from error


def _missing(location: Location) -> LakeMissingError:
    return LakeMissingError(
        f"no lake at {location.name}; put it back, make one with `spx demo`, `spx import candles PATH` or `spx backfill`, "
        "or point SPX_HOME or SPX_LAKE__CATALOG at one"
    )


def _cannot_attach(location: Location, error: duckdb.Error) -> LakeError:
    return LakeError(
        f"the lake at {location.name} with data in {location.data} cannot be attached: {str(error).splitlines()[0]}. "
        "Check SPX_LAKE__CATALOG and SPX_LAKE__DATA, and that the catalog's server answers"
    )


def _after_fork() -> None:
    """Leave the parent's instances alone in a forked child: their threads do not exist there, so neither use nor close them."""
    global _guard
    _guard = threading.Lock()
    for instance in _instances.values():
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(instance))
    _instances.clear()


os.register_at_fork(after_in_child=_after_fork)
