"""Who may write a table now: one writer at a time, across processes and machines.

Belongs here: taking, naming and freeing locks. Does not: transactions.

SQLite catalog: one lock file per lake, because SQLite knows one writer anyway. Postgres catalog: a session-level advisory
lock per table on a connection of its own, so that a crash frees it. Without locks two replacements in one table conflict
and two first writes of one partition can both land.
"""

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg2
import xxhash
from filelock import FileLock, Timeout

from spx_assets.lake.errors import LakeBusyError, LakeError
from spx_assets.lake.location import Location

_released: dict[str, float] = {}
_idle: dict[tuple[int, str], list["psycopg2.extensions.connection"]] = {}
_open: list["psycopg2.extensions.connection"] = []
_guard = threading.Lock()


def _me(purpose: str) -> str:
    return f"{purpose} (pid {os.getpid()} on {socket.gethostname()})"


def _yield_to_others(name: str, poll_s: float) -> None:
    """Stay away for two poll intervals after this process last held `name`: who re-takes a lock at once starves the waiting."""
    pause = _released.get(name, 0.0) + 2 * poll_s - time.monotonic()
    if pause > 0:
        time.sleep(pause)


@contextlib.contextmanager
def hold(location: Location, tables: Sequence[str], *, purpose: str) -> Iterator[None]:
    """Hold the locks of `tables` (`layer.table` names); LakeBusyError after `lock_timeout_s`, naming the holder."""
    if not location.postgres:
        with _file(location, purpose):
            yield
        return
    connection = _connection(location)
    with contextlib.ExitStack() as stack:
        stack.callback(_give_back, location, connection)
        # Sorted: two writers of the same tables take them in one order and cannot wait for each other.
        for table in sorted(set(tables)):
            stack.enter_context(_advisory(location, connection, table, purpose))
        yield


@contextlib.contextmanager
def _file(location: Location, purpose: str) -> Iterator[None]:
    settings, path = location.settings, Path(f"{location.catalog}.lock")
    holder = path.with_suffix(".holder")
    _yield_to_others(str(path), settings.lock_poll_s)
    # One FileLock a call: threads of one process exclude each other as processes do.
    lock = FileLock(path, timeout=settings.lock_timeout_s, poll_interval=settings.lock_poll_s, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise LakeBusyError(_busy(location.name, settings.lock_timeout_s, _read_holder(holder))) from error
    try:
        holder.write_text(json.dumps({"holder": _me(purpose), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
        yield
    finally:
        lock.release()
        _released[str(path)] = time.monotonic()


def _read_holder(path: Path) -> str:
    try:
        note = json.loads(path.read_text())
        return f"{note['holder']} since {note['since']}"
    except (OSError, ValueError, KeyError):
        return "an unnamed process"


def _busy(what: str, waited_s: float, holder: str) -> str:
    return (
        f"the lock of {what} was not free within {waited_s:g} s; it is held by {holder}. Wait for that process or end it, "
        "or raise SPX_LAKE__LOCK_TIMEOUT_S"
    )


def _key(table: str) -> int:
    return xxhash.xxh3_64_intdigest(f"spx_assets:{table}".encode()) - 2**63


@contextlib.contextmanager
def _advisory(location: Location, connection: "psycopg2.extensions.connection", table: str, purpose: str) -> Iterator[None]:
    settings = location.settings
    _yield_to_others(f"{location.key}:{table}", settings.lock_poll_s)
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('application_name', %s, false)", (_me(purpose)[:63],))
        # A blocking wait queues fairly at the server and needs no polling; the timeout ends it.
        cursor.execute("SELECT set_config('lock_timeout', %s, false)", (f"{max(1, int(settings.lock_timeout_s * 1000))}ms",))
        try:
            cursor.execute("SELECT pg_advisory_lock(%s)", (_key(table),))
        except psycopg2.errors.LockNotAvailable as error:
            holder = _advisory_holder(connection, table)
            raise LakeBusyError(_busy(f"{table} in {location.name}", settings.lock_timeout_s, holder)) from error
    try:
        yield
    finally:
        # A lost connection has freed the lock already.
        with contextlib.suppress(psycopg2.OperationalError, psycopg2.InterfaceError), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", (_key(table),))
        _released[f"{location.key}:{table}"] = time.monotonic()


def _advisory_holder(connection: "psycopg2.extensions.connection", table: str) -> str:
    key = _key(table) & (2**64 - 1)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT a.application_name, a.query_start FROM pg_locks l JOIN pg_stat_activity a USING (pid) "
            "WHERE l.locktype = 'advisory' AND l.granted AND l.classid::bigint = %s AND l.objid::bigint = %s",
            (key >> 32, key & (2**32 - 1)),
        )
        row = cursor.fetchone()
    return f"{row[0]} since {row[1]:%Y-%m-%dT%H:%M:%S%z}" if row else "an unnamed session"


def _connection(location: Location) -> "psycopg2.extensions.connection":
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


def _give_back(location: Location, connection: "psycopg2.extensions.connection") -> None:
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
