"""The newest feature vector of each instrument, from the lake.

Belongs here: when the lake is looked at, what is kept of it, what is said when it cannot be read. Does not: features
themselves (`spx_assets.features.online`), HTTP, models.

All reads run on one background thread; requests only look at what it left, so none waits for the lake.
"""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import duckdb
import numpy as np
import numpy.typing as npt
from spx_assets.lake.connection import Lake

from spx_assets import SpxError
from spx_assets.calendar import ONE_MINUTE
from spx_assets.settings import Settings
from spx_assets.sources import feeds

LOG = logging.getLogger(__name__)
READ_ERRORS = (SpxError, duckdb.Error, OSError)


@dataclass(frozen=True, eq=False)
class Vector:
    """Model inputs of the last bar of an instrument in the order of `INPUTS`, NaN for null, with the bar's mid close."""

    instrument: str
    ts: datetime
    close: float
    values: npt.NDArray[np.float32]

    def age(self, now: datetime) -> timedelta:
        """Time since the bar ended."""
        return now - (self.ts + ONE_MINUTE)


class VectorStore:
    """One vector an instrument, computed again when the lake has a new snapshot. `refresh` runs on one thread only."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._snapshot: int | None = None
        self._instruments: frozenset[str] = frozenset()
        self.vectors: Mapping[str, Vector] = MappingProxyType({})
        self.live: Mapping[str, bool] = MappingProxyType({})
        """Instruments that have a feed, and whether its clock is the wall's."""
        self.unreadable: str | None = None
        """Why the lake cannot be read; None while it can."""
        self.failed: Mapping[str, str] = MappingProxyType({})
        """Instruments whose vector could not be made, and why."""

    def refresh(self, instruments: Iterable[str]) -> None:
        """Looks at the lake; with a new snapshot, or other instruments, makes their vectors again."""
        wanted = frozenset(instruments)
        try:
            lake = Lake.open(self._settings, read_only=True)
            snapshot = lake.snapshot()
            if snapshot != self._snapshot or wanted != self._instruments:
                bound = {name: feed.live for name, feed in feeds.feeds(lake).items()}
                self._make(lake, sorted(wanted & bound.keys()))
                self.live = MappingProxyType(bound)
                self._snapshot, self._instruments = snapshot, wanted
        except READ_ERRORS as error:
            if self.unreadable is None:
                LOG.error("the lake cannot be read: %s", error)
            self.unreadable = str(error)
            return
        self.unreadable = None

    def _make(self, lake: Lake, instruments: list[str]) -> None:
        vectors, failed = {}, {}
        for instrument in instruments:
            try:
                found = newest(lake, instrument)
            except SpxError as error:
                failed[instrument] = str(error)
                LOG.error("no vector of %s: %s", instrument, error)
                continue
            if found:
                vectors[instrument] = found
        self.vectors, self.failed = MappingProxyType(vectors), MappingProxyType(failed)
