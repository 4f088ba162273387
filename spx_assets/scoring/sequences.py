"""Sequences of bars for models that look at several at once: one rule in training, forecasts and serving.

Belongs here: which bars follow one another, and the rows of the sequence that ends at each. Does not: features, models.

A sequence is the last `input_rows` bars of one instrument inside one trading day, no two of them further apart than the label
tolerance. A bar earlier than that in its day has none.
"""

import numpy as np
import numpy.typing as npt

from spx_assets.features.market_time import MINUTE_US, day_at, day_opens

F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]


def runs(instrument: npt.NDArray[np.int32], ts: I64, *, tolerance_min: int) -> I64:
    """How many bars up to and including each follow one another, from 1. Rows are ordered by (instrument, ts)."""
    n = len(ts)
    if not n:
        return np.empty(0, np.int64)
    opens = day_opens(day_at(int(ts.min())), day_at(int(ts.max())))
    day = np.searchsorted(opens, ts, side="right")
    breaks = np.ones(n, dtype=bool)
    breaks[1:] = (np.diff(instrument) != 0) | (np.diff(day) != 0) | (np.diff(ts) > tolerance_min * MINUTE_US)
    starts = np.maximum.accumulate(np.where(breaks, np.arange(n), 0))
    return np.arange(n) - starts + 1


def complete(unknown: npt.NDArray[np.bool_], run: I64, *, input_rows: int) -> npt.NDArray[np.bool_]:
    """Bars whose sequence is full and holds no row marked in `unknown`."""
    before = np.concatenate(([0], np.cumsum(unknown)))
    ends = np.arange(1, len(unknown) + 1)
    full: npt.NDArray[np.bool_] = (run >= input_rows) & (before[ends] == before[np.maximum(ends - input_rows, 0)])
    return full


def gather(X: F32, rows: Rows, *, input_rows: int) -> F32:
    """The sequences [n, input_rows, f] that end at `rows` of X [m, f], the newest bar last; [n, f] where input_rows is 1."""
    if input_rows == 1:
        return X[rows]
    sequence: F32 = X[np.asarray(rows)[:, None] + np.arange(1 - input_rows, 1)]
    return sequence
