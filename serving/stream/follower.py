"""A service that shares its stream: vectors and bars of a worker elsewhere, through Redis.

Belongs here: following the channel, reading vectors, what is done while Redis is down. Does not: Redis itself (`redis_store`).

The service answers from memory. While Redis is down it goes on with what it has, and with the lake, where the worker's bars
arrive every few seconds; when it is back everything is read again, as bars were missed, and what it has no more answers no more.
A worker that is silent is as good as none: its values stay the newest only until the lake has as new a bar.
"""

import logging
import threading
import time
from collections.abc import Callable

import numpy as np

from serving.stream.redis_store import RedisDownError, RedisStore
from serving.vectors import Vector, VectorStore
from spx_assets.settings import Settings
from spx_assets.sources.bars import Bar

LOG = logging.getLogger(__name__)
READ_AGAIN_S = 5.0
"""How often vectors are read whether or not a bar came: one that has become too old is let go."""
PAUSE_S = 0.25


class Follower:
    """Keeps a service's vectors like those in Redis, in a thread of its own."""

    def __init__(self, settings: Settings, vectors: VectorStore, tell: Callable[[Bar], None]) -> None:
        self._store, self._vectors, self._tell = RedisStore(settings), vectors, tell
        self.brings = f"a worker of its own, through Redis at {self._store.where}"
        self._known: dict[str, Vector] = {}
        self._stop = threading.Event()
        self._down: str | None = None
        self._silent = False
        """Whether no worker says that it lives."""
        self._thread = threading.Thread(target=self._follow, name="redis", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def problems(self) -> list[str]:
        if self._down:
            return [f"stream: {self._down}; answers go on from memory and the lake"]
        if self._silent:
            return [f"stream: no worker fills Redis at {self._store.where}; start `spx stream`, answers go on from the lake"]
        ended = self._thread.ident is not None and not self._thread.is_alive() and not self._stop.is_set()
        return ["stream: Redis is followed no more, the log has the traceback; restart the service"] if ended else []

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                self._heard()
            except RedisDownError as error:
                if self._down is None:
                    LOG.error("%s", error)
                self._down = str(error)
                self._vectors.release()
                self._stop.wait(PAUSE_S)

    def _heard(self) -> None:
        read: float | None = None
        for bar in self._store.heard():
            if self._stop.is_set():
                return
            if read is None or time.monotonic() - read > READ_AGAIN_S:
                anew = self._lives(self._store.alive()) or read is None
                # A Redis that came back empty names none of those that are known.
                for instrument in sorted({*self._store.instruments(), *self._known}):
                    self._read(instrument, anew=anew)
                if self._silent:
                    self._vectors.release()
                read = time.monotonic()
            if self._down is not None:
                LOG.info("Redis answers again")
                self._down = None
            if bar is not None:
                self._read(bar.instrument, anew=self._lives(True))
                self._tell(bar)

    def _lives(self, alive: bool) -> bool:
        """Whether a worker is there again that was silent."""
        again = alive and self._silent
        if alive is self._silent:
            LOG.log(logging.INFO if alive else logging.WARNING, "the stream's worker %s", "is back" if alive else "is silent")
        self._silent = not alive
        return again

    def _read(self, instrument: str, *, anew: bool = False) -> None:
        vector, known = self._store.get(instrument), self._known.get(instrument)
        if vector is None:
            if self._known.pop(instrument, None) is not None:
                self._vectors.withdraw(instrument)
        elif known is None or not _same(known, vector):
            self._known[instrument] = vector
            self._vectors.put(vector)
        elif anew:
            # Relied on again. The same object stays where nothing changed: forecasts made of it are remembered by it.
            self._vectors.put(known)


def _same(one: Vector, other: Vector) -> bool:
    said = (one.ts, one.news, one.binding) == (other.ts, other.news, other.binding)
    return said and np.array_equal(one.recent, other.recent, equal_nan=True)
