"""New bars on their way to the lake: into the journal at once, from there in batches, each exactly once.

Belongs here: the journal of bars, handing batches over, taking up what a killed worker left. Does not: the table and the feed's
clock (`spx_assets.sources.live`), the journal's format (`serving.journal`).

There is one worker a home, so every file in the folder is its own or a dead one's. `recover` takes the dead ones' files and comes
before the first `flush`, which removes its own alone. A bar that was handed over twice is known by the feed's own row; a file
goes when its bars are in the lake, or set aside where the lake would never take them (`refused`).
"""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from serving import frames, journal
from serving.journal import Journal, JournalError
from serving.problems import lake_words
from serving.stream import refused
from serving.stream.refused import Refusal
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.lake.errors import ContractError
from spx_assets.settings import Settings
from spx_assets.sources import live
from spx_assets.sources.bars import Bar

LOG = logging.getLogger(__name__)
BATCH = 500
"""Bars that are handed over before their time: a fast replay makes 150 a second."""


def folder(settings: Settings) -> Path:
    """Where the home's journal of bars is."""
    return settings.home / "stream" / "journal"


def decode(payload: bytes) -> Bar:
    """The bar of a frame; MsgspecError for bytes that are none."""
    bar = msgspec.msgpack.decode(payload, type=Bar)
    if bar.ts.tzinfo is None or bar.known_at.tzinfo is None:
        raise msgspec.ValidationError("its times name no zone")
    return bar


class Keeper:
    """Bars between the stream and the lake. `note` is for the thread of bars, the rest for another one."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._folder = settings, folder(settings)
        self._journal = Journal(self._folder)
        self._encode = msgspec.msgpack.Encoder().encode
        self._pending: list[Bar] = []
        self._guard = threading.Lock()
        self._flushed = time.monotonic()
        self._left: str | None = None
        """Why the lake did not take the last batch."""
        self._unwritten: str | None = None
        """Why the last bar is not in the journal."""

    def start(self) -> None:
        """Begin to sync the journal."""
        self._journal.start()

    def stop(self) -> None:
        """Hand over what there is; what the lake does not take stays in the journal for the next worker."""
        self.flush()
        self._journal.stop()

    def note(self, bar: Bar) -> None:
        """Keep a bar. In the list before in the file: a file that is dropped after a batch holds nothing that was not in it."""
        with self._guard:
            self._pending.append(bar)
        try:
            self._journal.append([self._encode(bar)])
        except JournalError as error:
            self._unwritten = str(error)
            LOG.error("a bar of %s is not in the journal: %s", bar.instrument, error)
        else:
            self._unwritten = None

    @property
    def due(self) -> bool:
        """Whether it is time to hand over."""
        waits = time.monotonic() - self._flushed >= self._settings.stream.flush_s
        return bool(self._pending) and (waits or len(self._pending) >= BATCH)

    def flush(self) -> None:
        """Hand over what there is."""
        # What others wrote was never pending here: only `recover` reads it.
        done = [path for path in journal.paths(self._folder) if self._journal.owns(path)]
        self._journal.rotate()
        with self._guard:
            batch, self._pending = self._pending, []
        self._flushed = time.monotonic()
        try:
            if batch:
                self._store(batch)
        except Exception as error:
            with self._guard:
                self._pending = [*batch, *self._pending]
            if not isinstance(error, READ_ERRORS):
                raise
            if self._left is None:
                LOG.error("new bars wait in the journal: %s", error)
            self._left = lake_words(error)
            return
        self._left = None
        for path in done:
            path.unlink(missing_ok=True)

    def recover(self) -> int:
        """Hand over what a worker before left in its journal; how many bars that were.

        Raises, and every file stays, if the lake does not take them.
        Not its own files: their bars are pending, together with such as could not be journalled and would be too old afterwards.
        """
        found, files, unread = list[Bar](), list[Path](), list[Refusal]()
        for path in journal.paths(self._folder):
            if self._journal.owns(path):
                continue
            with frames.taken_over(path) as mine:
                if mine:
                    for bar in _bars(path):
                        (unread if isinstance(bar, Refusal) else found).append(bar)  # type: ignore[arg-type]
                    files.append(path)
        refused.keep(self._settings, unread)
        if found:
            found.sort(key=lambda bar: bar.ts)
            new = self._store(found)
            LOG.info("%d bars of the journal were taken up, %d of them new to the lake", len(found), new)
        for path in files:
            path.unlink(missing_ok=True)
        return len(found)

    def _store(self, bars: list[Bar]) -> int:
        """Hand bars over; how many were new. One that breaks the table's contract would stand before all others for ever."""
        try:
            return live.store(Lake.existing(self._settings), bars)
        except ContractError:
            fine, bad = refused.sift(bars)
            if not bad:
                raise
            LOG.error("%d bars are set aside in %s: %s", len(bad), refused.path(self._settings), bad[0].why)
            refused.keep(self._settings, bad)
            return live.store(Lake.existing(self._settings), fine)

    def problems(self) -> list[str]:
        """What stands between bars and the lake."""
        waiting = f"{len(self._pending)} new bars wait for the lake: {self._left}" if self._left else None
        return [text for text in (waiting, self._unwritten) if text]


def _bars(path: Path) -> Iterator[Bar | Refusal]:
    """The bars of a file, and whole frames that are none; what is damaged or was cut off is told and passed over."""
    for part in frames.scan(path.read_bytes()):
        if isinstance(part, frames.Frame):
            try:
                yield decode(part.payload)
            except msgspec.MsgspecError as error:
                LOG.error("%s: the frame that ends at byte %d is no bar: %s", path.name, part.end, error)
                yield Refusal(part.payload, path.name, str(error))
        else:
            LOG.warning("%s: bytes %d to %d are no bars", path.name, part.start, part.end)
