"""How often each provider was asked, remembered in the home: a number an hour and provider, whichever process asked.

Belongs here: counting calls where a home is named, reading the counts. Does not: what a provider allows (`calls`), what a call
costs (`monitoring.costs`).
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

FILE = "calls.sqlite"
PATIENCE_S = 10.0
TABLE = "CREATE TABLE IF NOT EXISTS calls (hour TEXT, provider TEXT, calls INTEGER, PRIMARY KEY (hour, provider)) WITHOUT ROWID"
ADD = "INSERT INTO calls VALUES (?, ?, 1) ON CONFLICT (hour, provider) DO UPDATE SET calls = calls + 1"

_home: ContextVar[Path | None] = ContextVar("spx_home_of_calls", default=None)


@dataclass(frozen=True)
class Hour:
    """Calls of a provider within the hour from `start` on."""

    start: datetime
    provider: str
    calls: int


@contextmanager
def counted(home: Path) -> Iterator[None]:
    """Calls made within the block, in this thread, count for `home`."""
    token = _home.set(home)
    try:
        yield
    finally:
        _home.reset(token)


def note(provider: str, *, now: datetime | None = None) -> None:
    """One call was made; remembered where a home counts. 2 ms beside a call's hundred."""
    home = _home.get()
    if home is None:
        return
    hour = (now or datetime.now(UTC)).replace(minute=0, second=0, microsecond=0)
    with closing(sqlite3.connect(home / FILE, timeout=PATIENCE_S)) as database, database:
        database.execute(TABLE)
        database.execute(ADD, (hour.isoformat(), provider))


def hours(home: Path, start: datetime, end: datetime) -> list[Hour]:
    """Counts of the hours that begin in [start, end), oldest first."""
    if not (home / FILE).exists():
        return []
    with closing(sqlite3.connect(home / FILE, timeout=PATIENCE_S)) as database:
        rows = database.execute(
            "SELECT hour, provider, calls FROM calls WHERE hour >= ? AND hour < ? ORDER BY hour, provider",
            (start.astimezone(UTC).isoformat(), end.astimezone(UTC).isoformat()),
        ).fetchall()
    return [Hour(datetime.fromisoformat(hour), provider, calls) for hour, provider, calls in rows]
