"""The stream worker: bars from a source, each kept, made a vector of, given out.

Belongs here: the order of those steps, the two threads, one worker a home. Does not: the steps (`keeper`, `line`, `outlet`),
where bars come from (`feeding`).

One thread takes bars and waits for nothing but the processor: 5 ms a bar. Another looks at the lake: it hands bars over, reads a
history again that a run has changed, follows news.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import perf_counter

from filelock import FileLock, Timeout

from serving.stream import feeding
from serving.stream.keeper import Keeper
from serving.stream.line import Line
from serving.stream.modes import StreamBusyError
from serving.stream.outlet import Outlet
from serving.vectors import READ_ERRORS
from spx_assets.lake import Lake
from spx_assets.settings import Settings
from spx_assets.sources import bindings
from spx_assets.sources.bars import Bar, BarSource

LOG = logging.getLogger(__name__)
LONGEST_PAUSE_S = 30.0


class Worker:
    """Streams one home's feeds into an outlet."""

    brings = "a worker in this process"

    def __init__(self, settings: Settings, outlet: Outlet, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._settings, self._outlet, self._now = settings, outlet, now
        self._keeper = Keeper(settings)
        self._lines: dict[str, Line] = {}
        self._source: BarSource | None = None
        self._stop, self._halt = threading.Event(), threading.Event()
        self._changed = False
        self._thread: threading.Thread | None = None
        self._failed: str | None = None
        self.bars = 0
        """How many were taken."""
        self.last_bar_s = 0.0
        """How long the last one took, from complete to visible."""

    def start(self) -> None:
        """Stream in a thread of its own until `stop`; what goes wrong is in `problems` and tried again."""
        self._thread = threading.Thread(target=self._keep_running, name="stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; bars are in the lake, or in the journal where it does not take them."""
        self._stop.set()
        self._halt.set()
        if self._thread is not None:
            self._thread.join()

    def problems(self) -> list[str]:
        """Why bars or vectors do not come, in words."""
        waiting = [f"{name}: {line.missing}" for name, line in self._lines.items() if line.missing]
        trouble = self._source.trouble if self._source is not None else None
        said = [text for text in (self._failed, trouble) if text]
        return [f"stream: {text}" for text in (*said, *waiting, *self._keeper.problems(), *self._outlet.problems())]

    def remake(self, instrument: str, rows: int) -> None:
        """Put the newest vector of an instrument again with so many rows."""
        line = self._lines.get(instrument)
        vector = line.newest(rows=rows) if line else None
        if vector is not None:
            self._outlet.put(vector)

    def run(self, *, bars: int | None = None) -> None:
        """Stream in this thread until `stop`, the source's end, or so many bars. Raises what stands against it."""
        path = self._settings.home / "stream" / "worker.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=0)
        try:
            lock.acquire()
        except Timeout as error:
            raise StreamBusyError(
                f"another worker streams for {self._settings.home}; end it first (`spx stream`, or a service with "
                "SPX_STREAM__SOURCE)"
            ) from error
        try:
            self._keeper.start()
            while self._streamed(bars):
                LOG.info("a feed was bound anew; the stream begins again with it")
        finally:
            self._outlet.release()
            self._keeper.stop()
            lock.release()

    def _streamed(self, limit: int | None) -> bool:
        """One source to its end; True if the feeds have changed and another is to follow."""
        self._halt, self._changed = threading.Event(), False
        if self._stop.is_set():
            return False
        # In the order of time: what a worker before left is older than what this one has.
        self._keeper.recover()
        self._keeper.flush()
        # As the service does; only the keeper needs to write.
        lake = Lake.open(self._settings, read_only=True)
        bound = feeding.bound(lake, self._settings)
        own = feeding.replays_its_own(self._settings)
        self._lines = {feed.instrument: Line(lake, feed, now=self._now, rest_follows=own) for feed in bound}
        self._look(lake)
        self._source = feeding.source(lake, self._settings, bound, now=self._now)
        self._failed = None
        with ThreadPoolExecutor(1, thread_name_prefix="stream-lake") as pool:
            looking = pool.submit(self._keep_looking, lake)
            try:
                for bar in self._source.bars(self._halt):
                    self._take(bar)
                    if limit is not None and self.bars >= limit:
                        break
            finally:
                self._halt.set()
            looking.result()
        if self._changed:
            # Only now: the last bar of the old market may have been under way.
            for name in self._lines:
                self._outlet.withdraw(name)
        return self._changed and not self._stop.is_set()

    def _take(self, bar: Bar) -> None:
        began = perf_counter()
        self._keeper.note(bar)
        vector = self._lines[bar.instrument].take(bar, rows=self._outlet.rows(bar.instrument))
        if vector is None:
            self._outlet.withdraw(bar.instrument)
        else:
            self._outlet.put(vector)
        self.last_bar_s = perf_counter() - began
        self.bars += 1
        self._outlet.tell(bar)

    def _keep_looking(self, lake: Lake) -> None:
        """Until the source is at its end; what nobody foresaw ends the source, too."""
        try:
            while not self._halt.wait(self._settings.serving.poll_s):
                try:
                    self._outlet.look()  # first: a lake may be busy for two minutes
                    if self._keeper.due:
                        self._keeper.flush()
                    self._look(lake)
                except READ_ERRORS as error:
                    LOG.warning("the stream could not look at the lake: %s", error)
        finally:
            self._halt.set()

    def _look(self, lake: Lake) -> None:
        snapshot = lake.snapshot()
        bound = bindings.feeds(lake, snapshot=snapshot)
        for name, line in self._lines.items():
            feed = bound.get(name)
            if feed is None or feed.binding != line.feed.binding:
                self._changed = True
                self._halt.set()
                return
            line.feed = feed
            if line.look(snapshot):
                self.remake(name, self._outlet.rows(name))

    def _keep_running(self) -> None:
        failures = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self.run()
                if not self._stop.is_set():
                    self._failed = "the source has no more bars"
                return
            except READ_ERRORS as error:
                self._failed = str(error)
                LOG.error("the stream stopped: %s", error)
            except Exception as error:  # a defect ends one try, not the stream: the next bar may pass where this one did not
                self._failed = f"{type(error).__name__}: {error}; the log has the traceback"
                LOG.exception("the stream stopped")
            failures = 0 if time.monotonic() - began > 60 else failures + 1
            self._stop.wait(min(2.0 ** min(failures, 5), LONGEST_PAUSE_S))
