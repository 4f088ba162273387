"""An append-only journal: frames that survive `kill -9` once `append` has returned.

Belongs here: one writer a file, when files are synced and left, who owns one. Does not: the file itself (`journal_file`), what a
frame means, reading frames back (`frames`), HTTP, the lake.

A file is `<UTC stamp>-<random>.journal` in the journal's folder, the random part its writer's; no name is used twice. It is
made under another name, locked (flock) and then renamed: who can lock a `.journal` file knows that its writer is done with it
or dead.
"""

import logging
import secrets
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from serving import frames
from serving.journal_file import STAMP, SUFFIX, File, sync_folder
from spx_assets import SpxError

LOG = logging.getLogger(__name__)


class JournalError(SpxError):
    """A frame could not be written: it is in no file."""


class Journal:
    """One process's journal in `folder`. Safe to share between threads; nothing is made before the first `append`.

    `sync`: "group" syncs what was written every `sync_s` in a thread, "each" before `append` returns. A file is left for a new
    one from `rotate_bytes` on, or by `rotate`.
    """

    def __init__(
        self, folder: Path, *, sync: Literal["group", "each"] = "group", sync_s: float = 0.05, rotate_bytes: int = 32 << 20
    ) -> None:
        self.folder = folder
        self.lock = threading.RLock()
        """Held by a caller that needs `generation` and `append` to speak of one file."""
        self._doubtful: dict[Path, str] = {}
        """Files that a sync failed of, and how: the disk tells it once, and a later sync of the same file says nothing."""
        self.written = 0
        """Bytes appended since the process began."""
        self._each, self._sync_s, self._rotate_bytes = sync == "each", sync_s, rotate_bytes
        self._token = secrets.token_hex(8)
        self._file: File | None = None
        self._left: list[File] = []
        self._generation = 0
        self._dirty = threading.Event()
        self._syncing = threading.Lock()
        self._stopping = False
        self._thread: threading.Thread | None = None

    @property
    def unsynced(self) -> str | None:
        """Why what was written is not known to be on the disk; None while it is, or the files in doubt have been taken over."""
        for path in list(self._doubtful):
            if not path.exists():
                self._doubtful.pop(path, None)
        return next(iter(self._doubtful.copy().values()), None)

    def generation(self) -> int:
        """The number of the file that the next `append` writes to. Frames refer only to frames of their own file."""
        with self.lock:
            file = self._file
            if file is None or file.size >= self._rotate_bytes:
                self._renew()
            return self._generation

    def append(self, payloads: Sequence[bytes]) -> None:
        """Write the frames in one `write(2)`. JournalError, and none of them is in the file, where that fails."""
        data = frames.pack(payloads)
        with self.lock:
            file = self._file
            if file is None or file.size >= self._rotate_bytes:
                file = self._renew()
            try:
                file.write(data)
            except OSError as error:
                if file.torn:  # its tail is half a frame that could not be cut off: readers skip it, nobody writes behind it
                    self._leave()
                raise JournalError(_words(self.folder, error)) from error
            self.written += len(data)
            if self._each:
                self._sync_now(file)
            elif not self._dirty.is_set():
                self._dirty.set()

    def owns(self, path: Path) -> bool:
        """Whether this process wrote the file."""
        return path.stem.endswith(self._token)

    def start(self) -> None:
        """Begin to sync in groups."""
        if not self._each and self._thread is None:
            self._thread = threading.Thread(target=self._follow, name="journal-sync", daemon=True)
            self._thread.start()

    def rotate(self) -> None:
        """Leave the file that is written to, if there is one: it is synced, and anybody may take it over."""
        with self.lock:
            self._leave()
        self._sync()

    def stop(self) -> None:
        """Sync and leave everything; a later `append` begins a new file."""
        self._stopping = True
        self._dirty.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        self._stopping = False
        self.rotate()

    def _renew(self) -> File:
        self._leave()
        try:
            made = File.make(self.folder, self._token)
            if self._each:
                sync_folder(self.folder)
        except OSError as error:
            raise JournalError(_words(self.folder, error)) from error
        self._file, self._generation = made, self._generation + 1
        return made

    def _leave(self) -> None:
        if self._file is not None:
            self._left.append(self._file)
            self._file = None
            self._dirty.set()

    def _follow(self) -> None:
        while not self._stopping:
            self._dirty.wait()
            self._sync()
            time.sleep(self._sync_s)

    def _sync(self) -> None:
        """Sync the present file, close those that were left. The lock of writers is not held meanwhile.

        The first file that cannot be synced is left, so that it is taken over while its pages are in memory. On a disk that
        goes on failing the next ones are not, else a file a sync would pile up.
        """
        self._dirty.clear()
        with self._syncing:
            first = self.unsynced is None
            with self.lock:
                present, left, self._left = self._file, self._left, []
            for file in (*left, *((present,) if present else ())):
                try:
                    file.sync()
                except OSError as error:
                    problem = f"{file.path.name} could not be synced to the disk: {error.strerror or error}"
                    if file.path not in self._doubtful:
                        LOG.error("%s", problem)
                    self._doubtful[file.path] = problem
                    with self.lock:
                        if first and file is self._file:
                            self._leave()
            for file in left:
                file.close()

    def _sync_now(self, file: File) -> None:
        try:
            file.sync()
        except OSError as error:
            # What the disk has of it is not known; the frame may be found again, so its caller must not count on either.
            self._leave()
            raise JournalError(_words(self.folder, error)) from error


def paths(folder: Path) -> list[Path]:
    """The journal's files of all processes, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def began_at(path: Path) -> datetime:
    """When the first frame of a journal file was about to be written."""
    return datetime.strptime(path.stem.partition("-")[0], STAMP).replace(tzinfo=UTC)


def _words(folder: Path, error: OSError) -> str:
    return f"the journal in {folder} cannot be written ({error.strerror or error}); make room on its disk or see its permissions"
