"""Copies of SQLite databases that others write to, each as it stands at one instant.

Belongs here: copying in a process of its own, telling a database from another file. Does not: which databases a home has.

A process of its own: closing a file drops every lock its process has on it, those of DuckDB on the catalog too.
"""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from spx_assets import SpxError

HEADER = b"SQLite format 3\0"
BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database: part of it until it is copied, worthless beside a copy."""


class DatabaseCopyError(SpxError):
    """A database of the home could not be copied."""


def is_database(path: Path) -> bool:
    """Whether the file is a SQLite database."""
    with path.open("rb") as file:
        return file.read(len(HEADER)) == HEADER


def copy(pairs: Mapping[Path, Path]) -> None:
    """Copy each database to its target, through a child process."""
    told = json.dumps([[str(source), str(target)] for source, target in pairs.items()])
    done = subprocess.run([sys.executable, "-m", __name__], input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it was ended"])[-1]
        raise DatabaseCopyError(f"a database of the home could not be copied: {why}; see that its disk has room and can be read")


def _copy_all(told: str) -> None:
    for source, target in json.loads(told):
        reading = sqlite3.connect(f"file:{source}?mode=ro", uri=True, timeout=60)
        with closing(reading) as before, closing(sqlite3.connect(target)) as after:
            before.backup(after)
            after.execute("PRAGMA journal_mode=DELETE")


if __name__ == "__main__":
    _copy_all(sys.stdin.read())
