"""One file of a journal: made locked, written whole or not at all, synced.

Belongs here: how a file comes to be, its writes and syncs, its name. Does not: when another is begun, threads (`journal`), what
is in it (`frames`).
"""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

SUFFIX = ".journal"
STAMP = "%Y%m%dT%H%M%S%fZ"
UNBORN = ".new"


class File:
    """A file that this process writes."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path, self._handle = path, handle
        self.size = 0
        self.torn = False
        self._synced = -1

    @classmethod
    def make(cls, folder: Path, token: str) -> "File":
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{datetime.now(UTC).strftime(STAMP)}-{token}{SUFFIX}"
        unborn = path.with_suffix(UNBORN)
        handle = os.open(unborn, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unborn.rename(path)
        except BaseException:
            os.close(handle)
            unborn.unlink(missing_ok=True)
            raise
        return cls(path, handle)

    def write(self, data: bytes) -> None:
        """All of `data`, or OSError and none of it; `torn` if the file would not let go of a part."""
        done = os.write(self._handle, data)
        while done < len(data):  # a disk that is filling up takes a part first and refuses the rest
            try:
                done += os.write(self._handle, data[done:])
            except OSError:
                self._cut()
                raise
        self.size += done

    def _cut(self) -> None:
        try:
            os.ftruncate(self._handle, self.size)
        except OSError:
            self.torn = True

    def sync(self) -> None:
        if self._synced < 0:
            sync_folder(self.path.parent)
        size = self.size
        if size > self._synced:
            os.fdatasync(self._handle)
            self._synced = size

    def close(self) -> None:
        """Close it, which gives up the lock."""
        os.close(self._handle)


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
