"""A worker's vectors for all services that share a Redis.

Belongs here: the outlet of a worker of its own, what it does while Redis is down, how many bars the served models look at. Does
not: Redis itself (`redis_store`), the services' side (`follower`).
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import get_args

import msgspec

from serving import remembered
from serving.stream.redis_store import RedisDownError, RedisStore
from serving.vectors import Vector
from spx_assets.scoring import artifact, current
from spx_assets.scoring.errors import ArtifactError
from spx_assets.settings import Settings
from spx_assets.sources.bars import Bar

LOG = logging.getLogger(__name__)
LOOK_S = 5.0


class RedisOutlet:
    """Vectors and bars into Redis. While it is down bars go on into journal and lake; what it missed is put once it is back."""

    def __init__(self, store: RedisStore, rows: Callable[[str], int]) -> None:
        self._store, self._rows = store, rows
        self._newest: dict[str, Vector] = {}
        self._putting = threading.Lock()
        """Held until Redis has it: a vector made again by one thread may be overtaken by the next bar's of another."""
        self._down: str | None = None

    def rows(self, instrument: str) -> int:
        return self._rows(instrument)

    def put(self, vector: Vector) -> None:
        with self._putting:
            if not vector.older_than(self._newest.get(vector.instrument)):
                self._newest[vector.instrument] = vector
                self._try(lambda: self._store.put(vector))

    def tell(self, bar: Bar) -> None:
        self._try(lambda: self._store.tell(bar))

    def withdraw(self, instrument: str) -> None:
        with self._putting:
            if self._newest.pop(instrument, None) is not None:
                self._try(lambda: self._store.forget(instrument))

    def release(self) -> None:
        """Values stay until they are too old, but services are told to rely on the lake as soon as that has as much."""
        self._try(self._store.leave)

    def look(self) -> None:
        """Say that the worker lives. A Redis that was down and is back may have come back empty."""
        was_down = self._down is not None
        if not self._try(self._store.beat) or not was_down:
            return
        with self._putting:
            for vector in self._newest.values():
                if not self._try(partial(self._store.put, vector)):
                    return
        LOG.info("Redis answers again")

    def problems(self) -> list[str]:
        return [self._down] if self._down else []

    def _try(self, work: Callable[[], None]) -> bool:
        try:
            work()
        except RedisDownError as error:
            if self._down is None:
                LOG.error("%s", error)
            self._down = str(error)
            return False
        self._down = None
        return True


class _Reach(msgspec.Struct, frozen=True):
    """What is read of a manifest."""

    instruments: tuple[str, ...] = ()
    input_rows: int = 1


class ServedRows:
    """How many bars the models that answer look at, by instrument: read from the home, at most every five seconds.

    On the thread of bars, so only what is small: a manifest and not its graph. What cannot be read counts for nothing: services
    refuse it and say so, and go on with the version that was verified last.
    """

    def __init__(self, settings: Settings) -> None:
        self._artifacts = settings.artifacts
        aliases: tuple[current.Wanted, ...] = get_args(current.Wanted)
        self._manual = [remembered.manual(settings, alias) for alias in aliases]
        self._verified = [remembered.verified(settings, alias) for alias in aliases]
        self._rows: dict[str, int] = {}
        self._known: dict[tuple[str, str], _Reach] = {}
        self._looked: float | None = None

    def __call__(self, instrument: str) -> int:
        if self._looked is None or time.monotonic() - self._looked > LOOK_S:
            self._rows, self._looked = self._read(), time.monotonic()
        return self._rows.get(instrument, 1)

    def _read(self) -> dict[str, int]:
        rows: dict[str, int] = {}
        for name in current.names(self._artifacts):
            for version in self._answering(name):
                reach = self._reach(name, version)
                for instrument in reach.instruments:
                    rows[instrument] = max(rows.get(instrument, 1), reach.input_rows)
        return rows

    def _answering(self, name: str) -> set[str]:
        """Versions that answer for a forecaster in some service of the home, or may at its next look."""
        found = {last[name].version for last in (file.read() for file in self._verified) if name in last}
        try:
            state = current.read(self._artifacts, name) or current.Current()
        except (ArtifactError, OSError):
            return found
        told = [by_hand[name] for by_hand in (file.read() for file in self._manual) if name in by_hand]
        loaded = [each.version for each in told if each.generation == state.generation]
        return found | {version for version in (state.champion, state.challenger, state.flagged, *loaded) if version}

    def _reach(self, name: str, version: str) -> _Reach:
        """What a version looks at. It is written once, so it is read once."""
        if (name, version) not in self._known:
            path = artifact.folder(self._artifacts, name, version) / artifact.MANIFEST
            try:
                self._known[name, version] = msgspec.json.decode(path.read_bytes(), type=_Reach)
            except (OSError, msgspec.MsgspecError):
                return _Reach()
        return self._known[name, version]
