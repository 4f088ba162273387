"""Who may write a table now: one writer at a time, across processes and machines.

Belongs here: taking, naming and freeing locks. Does not: transactions, sessions of Postgres (`advisory`).

SQLite catalog: one lock file per lake, because SQLite knows one writer anyway. Postgres catalog: a lock per table. Without locks
two replacements in one table conflict and two first writes of one partition can both land.
"""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from spx_assets.lake.errors import LakeBusyError
from spx_assets.lake.location import Location

_released: dict[str, float] = {}


def me(purpose: str) -> str:
    return f"{purpose} (pid {os.getpid()} on {socket.gethostname()})"


def yield_to_others(name: str, poll_s: float) -> None:
    """Stay away for two poll intervals after this process last held `name`: who re-takes a lock at once starves the waiting."""
    pause = _released.get(name, 0.0) + 2 * poll_s - time.monotonic()
    if pause > 0:
        time.sleep(pause)


def released(name: str) -> None:
    """Note that this process has just let go of `name`."""
    _released[name] = time.monotonic()


@contextlib.contextmanager
def hold(location: Location, tables: Sequence[str], *, purpose: str) -> Iterator[None]:
    """Hold the locks of `tables` (`layer.table` names); LakeBusyError after `lock_timeout_s`, naming the holder."""
    if not location.postgres:
        with _file(location, purpose):
            yield
        return
    from spx_assets.lake import advisory  # its driver takes 6 MB, which a lake with a SQLite catalog does not need

    with advisory.hold(location, tables, purpose=purpose):
        yield


@contextlib.contextmanager
def _file(location: Location, purpose: str) -> Iterator[None]:
    settings, path = location.settings, Path(f"{location.catalog}.lock")
    holder = path.with_suffix(".holder")
    yield_to_others(str(path), settings.lock_poll_s)
    # One FileLock a call: threads of one process exclude each other as processes do.
    lock = FileLock(path, timeout=settings.lock_timeout_s, poll_interval=settings.lock_poll_s, thread_local=False)
    try:
        lock.acquire()
    except Timeout as error:
        raise LakeBusyError(busy(location.name, settings.lock_timeout_s, _read_holder(holder))) from error
    try:
        holder.write_text(json.dumps({"holder": me(purpose), "since": datetime.now(UTC).isoformat(timespec="seconds")}))
        yield
    finally:
        lock.release()
        released(str(path))


def _read_holder(path: Path) -> str:
    try:
        note = json.loads(path.read_text())
        return f"{note['holder']} since {note['since']}"
    except (OSError, ValueError, KeyError):
        return "an unnamed process"


def busy(what: str, waited_s: float, holder: str) -> str:
    return (
        f"the lock of {what} was not free within {waited_s:g} s; it is held by {holder}. Wait for that process or end it, "
        "or raise SPX_LAKE__LOCK_TIMEOUT_S"
    )
