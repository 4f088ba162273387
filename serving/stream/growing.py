"""The bars of a history in arrays that grow at their end.

Belongs here: appending bars, the history that they are by now. Does not: which bars those are (`history`).

A frame of polars with one row more is a copy, made with a pool of threads: 0.9 ms a bar beside 4 for its vector, and on a machine
that is at work the thread of bars waits for a processor twice more. An array with room costs 3 us and waits for nobody.
"""

from datetime import datetime

import numpy as np
import polars as pl

from spx_assets.features.bars import BAR_COLUMNS, Bars
from spx_assets.features.market_time import instant, microseconds
from spx_assets.sources.bars import Bar

ROOM = 512
"""Rows of room at first; then as many as there are."""
_VALUES = BAR_COLUMNS[1:]
_CLOSE = _VALUES.index("close")


class Growing:
    """Bars of one instrument in order of time. What `bars` gave is not changed by later ones; there is at least one bar."""

    def __init__(self, candles: pl.DataFrame) -> None:
        first = Bars.from_frame(candles)
        self._size = len(first)
        self._ts = np.empty(self._size + ROOM, dtype=np.int64)
        self._values = np.empty((len(_VALUES), self._size + ROOM))
        self._ts[: self._size] = first.ts
        for row, name in zip(self._values, _VALUES, strict=True):
            row[: self._size] = getattr(first, name)

    @property
    def last(self) -> datetime:
        """Start of the newest bar."""
        return instant(int(self._ts[self._size - 1]))

    @property
    def close(self) -> float:
        """Its mid close."""
        return float(self._values[_CLOSE, self._size - 1])

    def append(self, bar: Bar) -> None:
        """Take the bar that follows."""
        if self._size == len(self._ts):
            self._ts = np.concatenate((self._ts, np.empty_like(self._ts)))
            self._values = np.concatenate((self._values, np.empty_like(self._values)), axis=1)
        self._ts[self._size] = microseconds(bar.ts)
        for row, name in zip(self._values, _VALUES, strict=True):
            value: float | None = getattr(bar, name)
            row[self._size] = np.nan if value is None else value
        self._size += 1

    def bars(self) -> Bars:
        """All of them, as views."""
        opened, high, low, close, volume, spread = (row[: self._size] for row in self._values)
        return Bars(self._ts[: self._size], opened, high, low, close, volume, spread)
