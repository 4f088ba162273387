"""Locks of a lake with a Postgres catalog: a session-level advisory lock per table on a connection of its own; a crash frees it.

Belongs here: sessions for locks, taking and freeing them. Does not: lock files, what a wait is told (`locks`).
"""

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from typing import TypeAlias

import psycopg2
import psycopg2.extensions
import xxhash

from spx_assets.lake.errors import LakeBusyError, LakeError
from spx_assets.lake.location import Location
from spx_assets.lake.locks import busy, me, released, yield_to_others

Session: TypeAlias = psycopg2.extensions.connection
_idle: dict[tuple[int, str], list[Session]] = {}
_open: list[Session] = []
_guard = threading.Lock()


@contextlib.contextmanager
def hold(location: Location, tables: Sequence[str], *, purpose: str) -> Iterator[None]:
    """As `locks.hold`."""
    connection = _connection(location)
    with contextlib.ExitStack() as stack:
        stack.callback(_give_back, location, connection)
        # Sorted: two writers of the same tables take them in one order and cannot wait for each other.
        for table in sorted(set(tables)):
            stack.enter_context(_advisory(location, connection, table, purpose))
        yield


def _key(table: str) -> int:
    return xxhash.xxh3_64_intdigest(f"spx_assets:{table}".encode()) - 2**63


@contextlib.contextmanager
def _advisory(location: Location, connection: Session, table: str, purpose: str) -> Iterator[None]:
    settings = location.settings
    yield_to_others(f"{location.key}:{table}", settings.lock_poll_s)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", (me(purpose)[:63],))
        # A blocking wait queues fairly at the server and needs no polling; the timeout ends it.
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{max(1, int(settings.lock_timeout_s * 1000))}ms",))
        try:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_key(table),))
        except psycopg2.errors.LockNotAvailable as error:
            holder = _advisory_holder(connection, table)
            raise LakeBusyError(busy(f"{table} in {location.name}", settings.lock_timeout_s, holder)) from error
    try:
        yield
    finally:
        # A lost connection has freed the lock already.
        with contextlib.suppress(psycopg2.OperationalError, psycopg2.InterfaceError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_key(table),))
        released(f"{location.key}:{table}")


def _advisory_holder(connection: Session, table: str) -> str:
    key = _key(table) & (2**64 - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.application_name, a.query_start FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = %s AND l.objid::bigint = %s",
            (key >> 32, key & (2**32 - 1)),
        )
        row = cursor.fetchone()
    return f"{row[0]} since {row[1]:%Y-%m-%dT%H:%M:%S%z}" if row else "an unnamed session"


def _connection(location: Location) -> Session:
    """A Postgres session for locks alone: one that idles, if it still answers, else a new one."""
    with _guard:
        idle = _idle.setdefault((os.getpid(), location.key), [])
        connection = idle.pop() if idle else None
    if connection is not None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            return connection
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            connection.close()
    try:
        connection = psycopg2.connect(location.catalog)
    except psycopg2.OperationalError as error:
        raise LakeError(
            f"the catalog {location.name} does not answer ({str(error).strip()}); start it or set SPX_LAKE__CATALOG"
        ) from error
    connection.autocommit = True
    with _guard:
        _open.append(connection)
    return connection


def _give_back(location: Location, connection: Session) -> None:
    with _guard:
        _idle.setdefault((os.getpid(), location.key), []).append(connection)


def _after_fork() -> None:
    """Cut a forked child off the parent's sessions: closing them there would end the parent's and free its locks."""
    global _guard
    _guard = threading.Lock()
    with open(os.devnull, "r+b") as null:
        for connection in _open:
            if not connection.closed:
                os.dup2(null.fileno(), connection.fileno())
    _open.clear()


os.register_at_fork(after_in_child=_after_fork)
