"""The SQLite databases of a home's Dagster instance: runs, events of each run, their index, schedules.

Belongs here: how long connections live and how many events one transaction takes. Does not: what Dagster stores (its own
storages decide), where the home is (`instance`).

Dagster opens an engine and a connection for each event, compiles its statements anew and closes again: 8 ms of CPU an event,
and a range run of five years logs 5,000. On connections that stay open, and in batches, it is under 1 ms.
"""

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self, cast

from dagster._core.events import ASSET_CHECK_EVENTS, ASSET_EVENTS
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.runs.sqlite.sqlite_run_storage import SqliteRunStorage
from dagster._core.storage.schedules.sqlite.sqlite_schedule_storage import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS, create_db_conn_string
from dagster._serdes import ConfigurableClassData, serialize_value
from sqlalchemy import create_engine, event
from sqlalchemy.engine import Connection, Engine

# Each run has a file of its own: the index and those of the newest runs stay open.
_RUNS_HELD = 8
# Databases as Dagster made them first in this process, before any row. It reads its 60 migrations twice to make one, 0.15 s of
# CPU: for the events of each run, and for the runs and the schedules of each home.
_empty: dict[str, bytes] = {}


class Engines:
    """One engine a database, with one connection that stays open, for the newest `held` databases in use.

    A commit does not wait for the disk: in WAL mode that can lose the last events in a power cut, never the database.
    """

    def __init__(self, held: int = 1) -> None:
        self._held = held
        self._guard = threading.Lock()
        self._engines: dict[str, Engine] = {}
        self._process = os.getpid()

    @contextmanager
    def connection(self, database: str) -> Iterator[Connection]:
        """A connection to a database, in a transaction that commits at the end."""
        with self.of(database).connect() as connection, connection.begin():
            yield connection

    def of(self, database: str) -> Engine:
        """The engine of a database, named by its connection string."""
        with self._guard:
            if self._process != os.getpid():
                # After a fork the connections are the parent's: forget them and close none.
                self._drop(close=False)
                self._process = os.getpid()
            # Taken out and put back: the dictionary is in the order of use.
            engine = self._engines.pop(database, None) or _engine(database)
            self._engines[database] = engine
            while len(self._engines) > self._held:
                self._engines.pop(next(iter(self._engines))).dispose()
            return engine

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        with self._guard:
            self._drop(close=True)

    def _drop(self, *, close: bool) -> None:
        while self._engines:
            self._engines.popitem()[1].dispose(close=close)


def _engine(database: str) -> Engine:
    engine = create_engine(database, pool_size=1, max_overflow=-1, connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS})
    event.listen(engine, "connect", _unhurried)
    return engine


def _unhurried(connection: Any, record: Any) -> None:
    connection.execute("PRAGMA synchronous = NORMAL")


class HomeRuns(SqliteRunStorage):
    """Runs, on a connection that stays open."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines = Engines()
        super().__init__(conn_string, inst_data)

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> Self:
        with _first_or_copied(Path(base_dir) / "runs.db") as copied:
            return cls(create_db_conn_string(base_dir, "runs"), inst_data) if copied else super().from_local(base_dir, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engines.connection(self._conn_string) as connection:
            yield connection

    def dispose(self) -> None:
        self._engines.close()


class HomeSchedules(SqliteScheduleStorage):
    """Schedules, sensors and their ticks, on a connection that stays open."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines = Engines()
        super().__init__(conn_string, inst_data)

    @classmethod
    def from_local(cls, base_dir: str, inst_data: ConfigurableClassData | None = None) -> "HomeSchedules":
        with _first_or_copied(Path(base_dir) / "schedules.db") as copied:
            if copied:
                return cls(create_db_conn_string(base_dir, "schedules"), inst_data)
            return cast("HomeSchedules", super().from_local(base_dir, inst_data))

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        with self._engines.connection(self._conn_string) as connection:
            yield connection

    def dispose(self) -> None:
        self._engines.close()


class HomeEvents(SqliteEventLogStorage):
    """Events, on connections that stay open; a step's materialisations in one transaction a database."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines = Engines(1 + _RUNS_HELD)
        self._known: set[str] = set()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        database = self.conn_string_for_shard(shard)
        with self._db_lock:
            if shard not in self._initialized_dbs:
                self._initdb(self._engines.of(database))
                self._initialized_dbs.add(shard)
            with self._engines.connection(database) as connection:
                yield connection

    def _initdb(self, engine: Engine, for_index_shard: bool = False) -> None:
        with _first_or_copied(Path(str(engine.url.database)), kind="events") as copied:
            if not copied:
                super()._initdb(engine, for_index_shard)

    def has_table(self, table_name: str) -> bool:
        """Asked for every event; a table that is there stays."""
        if table_name not in self._known and super().has_table(table_name):
            self._known.add(table_name)
        return table_name in self._known

    def store_event(self, event: EventLogEntry) -> None:
        super().store_event(event)
        self._touch(event.run_id)

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """What `store_event` does with each event of one run, in one transaction on its database and one on the index.

        Of an asset's events only the newest is written to the index of assets: there it would overwrite the others.
        """
        insert = SqlEventLogStorageTable.insert()
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(insert, rows)
        with self.index_transaction() as connection:
            numbered = insert.returning(SqlEventLogStorageTable.c.id, sort_by_parameter_order=True)
            ids = connection.execute(numbered, rows).scalars().all()
            stored = list(zip(events, ids, strict=True))
            of_assets = [(event, number) for event, number in stored if event.dagster_event_type in ASSET_EVENTS]
            self._store_asset_event_tags(connection, [event for event, _ in of_assets], [number for _, number in of_assets])
            newest = {event.get_dagster_event().asset_key: (event, number) for event, number in of_assets}
            for event, number in newest.values():
                self._store_asset_event(connection, event, number)
        for event, number in stored:
            if event.dagster_event_type in ASSET_CHECK_EVENTS:
                self.store_asset_check_event(event, number)
        self._touch(events[0].run_id)

    def _store_asset_check_evaluation_planned(self, event: EventLogEntry, event_id: int | None) -> None:
        """One row for each week of the run, each with the whole event: made into text once, not once a week."""
        planned = event.get_dagster_event().asset_check_planned_data
        row = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": serialize_value(event),
            "evaluation_event_timestamp": self._event_insert_timestamp(event),  # type: ignore[no-untyped-call]
            "evaluation_event_storage_id": event_id,
        }
        keys = planned.partitions_subset.get_partition_keys() if planned.partitions_subset else [None]
        with self.index_connection() as connection:
            connection.execute(AssetCheckExecutionsTable.insert(), [{**row, "partition": key} for key in keys])

    def _touch(self, run_id: str) -> None:
        """The UI follows a run by the time of its file, which a commit to an open database's WAL leaves as it was."""
        os.utime(self.path_for_shard(run_id))

    def wipe(self) -> None:
        self._engines.close()
        super().wipe()

    def dispose(self) -> None:
        super().dispose()
        self._engines.close()


@contextmanager
def _first_or_copied(path: Path, *, kind: str = "") -> Iterator[bool]:
    """True where a new database is a copy of its kind's first; else Dagster makes it, or looks at what it made before."""
    kind, new = kind or path.name, not path.exists()
    if new and kind in _empty:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield _written(path, _empty[kind])
        return
    yield False
    if new:
        with closing(sqlite3.connect(path)) as connection:
            _empty.setdefault(kind, connection.serialize())


def _written(path: Path, content: bytes) -> bool:
    """Put a file in its place as a whole; False if another process made one there meanwhile."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    try:
        os.link(fresh, path)
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
    return True
