"""A window of later rows against a section of the reference, quantity by quantity.

Belongs here: distances and p-values of the newest days. Does not: when a day counts as drifted (`verdicts`).
"""

from dataclasses import dataclass

import numpy as np

from spx_assets.monitoring import counting, distance
from spx_assets.monitoring.counting import BINS, F32, F64, I64
from spx_assets.monitoring.reference import LONGEST, Section

TENTHS = slice(2, BINS, 2)


@dataclass(frozen=True)
class Distances:
    """Per quantity of a section; NaN where either side knows nothing."""

    ks: F64
    """Of the window against the reference."""
    change: F64
    """Of the newest day against the one before it."""
    psi: F64
    p: F64
    """Twice the smaller p-value of the two distances, for it was looked for in two places."""
    missing: F64
    """Share of the window's rows that is not known."""
    rows: int
    """Rows of the window that were looked at."""


def distances(section: Section, ts: I64, X: F32, *, length: int, every: int | None = None) -> Distances:
    """Distances of a window of the `length` (1 to 5) newest trading days that have rows, against the reference.

    `ts` and X [rows, quantities], in order of time, hold at least two days, if there are any: the newest is also set against the
    one before it. Volatility comes and goes slowly. Doubled, it may still lie in the range of a year, but no day of that year
    was so far from the day before.

    `every`: minutes between the rows that are looked at, by default as in the reference. Fewer rows than it had are worth no more
    draws than they are.
    """
    rows = counting.looked(ts, X, every=every or section.every)
    n = len(section.names)
    ks, change, index, missing = (np.full(n, np.nan) for _ in range(4))
    draws = np.full((2, n), np.nan)
    inside = rows.day >= len(rows.days) - length
    for k, counted in enumerate(counting.counts(rows, section.edges)):
        excess, known = counting.excess(counted, section.shares[k])
        window = int(known[-length:].sum())
        if inside.any():
            missing[k] = float(np.isnan(rows.X[k, inside]).mean())
        if not window:
            continue
        ks[k] = np.abs(excess[-length:].sum(axis=0)).max() / window
        draws[0, k] = window
        index[k] = _psi(counted[-length:].sum(axis=0), section.shares[k])
        if len(known) > 1 and known[-1] and known[-2]:
            change[k] = np.abs(excess[-1] / known[-1] - excess[-2] / known[-2]).max()
            draws[1, k] = known[-1] * known[-2] / (known[-1] + known[-2])
    level, beside = (
        distance.p_value(found, np.minimum(section.chances[0, at], most), section.chances[1, at])
        for found, at, most in ((ks, length - 1, draws[0]), (change, LONGEST, draws[1]))
    )
    p = np.minimum(2.0 * np.fmin(level, beside), 1.0)
    return Distances(ks, change, index, p, missing, int(inside.sum()))


def _psi(counted: I64, shares: F64) -> float:
    """Stability index in ten bins, from counts [BLOCKS, EDGES + 1] of a window."""
    by_block = counted[:, -1]
    both = np.stack([counted[:, :-1].sum(axis=0) / by_block.sum(), by_block @ shares / by_block.sum()])[:, TENTHS]
    bins = np.diff(both, axis=1, prepend=0.0, append=1.0)
    return float(distance.psi(bins[0], bins[1]))
