"""A window of later rows against a section of the reference, quantity by quantity.

Belongs here: distances and p-values of the newest days. Does not: when a day counts as drifted (`verdicts`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spx_assets.monitoring import counting, distance, habit
from spx_assets.monitoring.counting import BINS, F32, F64, I64, Looked
from spx_assets.monitoring.habit import Habit
from spx_assets.monitoring.reference import Section

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
    """Of the window's distance among those of the training window's own windows."""
    jump: F64
    """p-value of the newest day's middle after the day before; NaN but for the inputs that it was asked for."""
    level: F64
    """p-value of the mean of the window's middles; NaN but for those."""
    missing: F64
    """Share of the window's rows that is not known."""
    rows: int
    """Rows of the window that were looked at."""


def distances(section: Section, ts: I64, X: F32, *, length: int, every: int | None = None, key: Sequence[str] = ()) -> Distances:
    """Distances of a window of the `length` (1 to 5) newest trading days that have rows, against the reference.

    `ts` and X [rows, quantities], in order of time, hold at least two days, if there are any: the newest is also set against the
    one before it. For the quantities of `key` the middles of the days are followed too.

    `every`: minutes between the rows that are looked at, by default as in the reference. Fewer rows than it had are worth no more
    draws than they are.
    """
    rows = counting.looked(ts, X, every=every or section.every)
    n = len(section.names)
    ks, change, index, missing, draws = (np.full(n, np.nan) for _ in range(5))
    inside = rows.day >= len(rows.days) - length
    for k, counted in enumerate(counting.counts(rows, section.edges)):
        excess, known = counting.excess(counted, section.shares[k])
        window = int(known[-length:].sum())
        if inside.any():
            missing[k] = float(np.isnan(rows.X[k, inside]).mean())
        if not window:
            continue
        ks[k] = np.abs(excess[-length:].sum(axis=0)).max() / window
        draws[k] = window
        index[k] = _psi(counted[-length:].sum(axis=0), section.shares[k])
        if len(known) > 1 and known[-1] and known[-2]:
            change[k] = np.abs(excess[-1] / known[-1] - excess[-2] / known[-2]).max()
    spread, freedom = section.usual[:, length - 1]
    p = distance.p_value(ks, spread, freedom, rows=draws)
    jump, level = _followed(section, rows, key, length=length)
    return Distances(ks, change, index, p, jump, level, missing, int(inside.sum()))


def _followed(section: Section, rows: Looked, key: Sequence[str], *, length: int) -> tuple[F64, F64]:
    """p-values of the newest day's jump and of the window's level, of the quantities in `key` alone."""
    jump, level = np.full((2, len(section.names)), np.nan)
    asked = np.array([section.names.index(name) for name in key if name in section.names], dtype=np.intp)
    if len(asked) and len(rows.days):
        found, known = habit.middles(rows, section.edges, asked)
        usual = Habit(*(field[asked] for field in section.habit))
        jump[asked] = habit.jump(found, known, usual)
        level[asked] = habit.level(found[:, -length:], known[:, -length:], usual)
    return jump, level


def _psi(counted: I64, shares: F64) -> float:
    """Stability index in ten bins, from counts [BLOCKS, EDGES + 1] of a window."""
    by_block = counted[:, -1]
    both = np.stack([counted[:, :-1].sum(axis=0) / by_block.sum(), by_block @ shares / by_block.sum()])[:, TENTHS]
    bins = np.diff(both, axis=1, prepend=0.0, append=1.0)
    return float(distance.psi(bins[0], bins[1]))
