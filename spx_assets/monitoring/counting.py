"""Rows counted by trading day and by where they lie among the reference's rows of the same hours.

Belongs here: which rows are looked at, the edges of bins, counts. Does not: distances (`distance`), storing (`reference`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import gcd

import numpy as np
import numpy.typing as npt
import polars as pl

from spx_assets import calendar

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

BINS = 20
"""Bins of equal count; the stability index takes them by twos, which are the usual ten."""
EDGES = BINS + 1
"""The last value of each bin, and one below the first: what is smaller than all of the reference is seen too."""
BLOCKS = 12
"""Two hours each, from 17:00 New York. A bar is set against the reference's bars of its hours: volatility at the opening of the
cash market is thrice that of the night, and neither that nor a short day is drift."""
MOST_ROWS = 100_000
"""Rows an instrument's reference is made of: 77 a day of five years. Neighbouring minutes tell little that is new."""
MINUTE_US = 60_000_000


def stride(rows: int) -> int:
    """Minutes between the rows that are looked at: none in common with an hour, so that every minute of it is met."""
    every = max(1, -(-rows // MOST_ROWS))
    while gcd(every, 60) != 1:
        every += 1
    return every


def met(ts: I64, every: int) -> npt.NDArray[np.bool_]:
    """Rows whose minute is a multiple of `every`: the same for every cut of the history. `ts` in microseconds since 1970."""
    return np.asarray(ts // MINUTE_US % every == 0)


@dataclass(frozen=True)
class Looked:
    """Rows that are looked at, sorted by the hours of their trading day."""

    X: F32
    """[quantities, rows]: one quantity after the other in memory."""
    block: npt.NDArray[np.intp]
    starts: npt.NDArray[np.intp]
    """Where each block begins among the rows, and their number."""
    day: npt.NDArray[np.intp]
    """Position in `days` of each row's trading day."""
    days: npt.NDArray[np.int32]
    """Trading days that have rows, as days since 1970, ascending."""


def looked(ts: I64, X: F32, *, every: int) -> Looked:
    """Rows that are `met`, of X [rows, quantities] at `ts` in order of time."""
    taken = np.flatnonzero(met(ts, every))
    stamp = pl.from_epoch(pl.Series("ts", ts[taken]), time_unit="us").dt.replace_time_zone("UTC").to_frame()
    hour = pl.col("ts").dt.convert_time_zone("America/New_York").dt.hour().cast(pl.Int64)
    told = stamp.select(
        day=calendar.trading_day_expr(pl.col("ts")).to_physical(),
        block=(hour - calendar.OPEN_HOUR) % 24 // (24 // BLOCKS),
    )
    block = told["block"].to_numpy()
    order = np.argsort(block, kind="stable")
    days, day = np.unique(told["day"].to_numpy(), return_inverse=True)
    starts = np.searchsorted(block[order], np.arange(BLOCKS + 1))
    return Looked(np.ascontiguousarray(X[taken[order]].T), block[order].astype(np.intp), starts, day[order], days)


def edges(rows: Looked) -> F32:
    """[quantities, BLOCKS, EDGES]: edges of bins of equal count among the known rows of a block, NaN where it has none."""
    out = np.full((len(rows.X), BLOCKS, EDGES), np.nan, dtype=np.float32)
    for block in range(BLOCKS):
        part = np.sort(rows.X[:, rows.starts[block] : rows.starts[block + 1]])  # NaN come last
        known = part.shape[1] - np.isnan(part).sum(axis=1)
        for k in np.flatnonzero(known):
            at = np.ceil(np.arange(1, EDGES) / BINS * known[k]).astype(np.intp) - 1
            out[k, block, 0] = np.nextafter(part[k, 0], np.float32(-np.inf))
            out[k, block, 1:] = part[k, at]
    return out


def counts(rows: Looked, limits: F32) -> Iterator[npt.NDArray[np.int64]]:
    """Per quantity, how many rows are at most each edge of their block, [days, BLOCKS, EDGES + 1]; the last: known ones.

    Rows of hours that the reference knows nothing of are left out.
    """
    n = len(rows.days)
    for k, own in enumerate(rows.X):
        bins = np.empty(len(own), dtype=np.intp)
        for block in range(BLOCKS):
            part = slice(rows.starts[block], rows.starts[block + 1])
            bins[part] = np.searchsorted(limits[k, block], own[part])
        told = ~(np.isnan(own) | np.isnan(limits[k, :, 0])[rows.block])
        flat = ((rows.day * BLOCKS + rows.block) * (EDGES + 1) + bins)[told]
        yield np.cumsum(np.bincount(flat, minlength=n * BLOCKS * (EDGES + 1)).reshape(n, BLOCKS, EDGES + 1), axis=2)


def excess(counted: npt.NDArray[np.int64], shares: F64) -> tuple[F64, I64]:
    """Rows at or below each edge beyond what the reference's `shares` [BLOCKS, EDGES] expect of their hours, and all rows.

    Of counts [days, BLOCKS, EDGES + 1] both are by day, [days, EDGES] and [days]: those of several days are their sums.
    """
    by_block = counted[:, :, -1]
    return counted[:, :, :-1].sum(axis=1) - by_block @ shares, by_block.sum(axis=1)
