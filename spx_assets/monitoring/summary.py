"""The reference of training rows.

Belongs here: from rows to a `Section`, and what windows of the training window's own days tell of chance. Does not: the file
(`reference`), which rows a version was trained on (`training`).
"""

from collections.abc import Sequence
from dataclasses import astuple

import numpy as np

from spx_assets.monitoring import counting, distance, habit
from spx_assets.monitoring.counting import F32, F64, I64
from spx_assets.monitoring.reference import LONGEST, UNIT, Section


def section(instrument: str, ts: I64, X: F32, names: Sequence[str], *, every: int | None = None) -> Section:
    """The section of one instrument's rows in order of time; X is [rows, quantities].

    `every`: minutes between rows that are looked at; by default as many as keep them below 100,000.
    """
    every = counting.stride(len(ts)) if every is None else every
    rows = counting.looked(ts, X, every=every)
    limits = counting.edges(rows)
    shares = np.zeros(limits.shape)
    usual = np.full((2, LONGEST, len(names)), np.nan)
    known = []
    for k, counted in enumerate(counting.counts(rows, limits)):
        whole = counted.sum(axis=0)
        shares[k] = np.round(whole[:, :-1] / np.maximum(whole[:, -1:], 1) * UNIT) / UNIT
        known.append(int(whole[:, -1].sum()))
        usual[:, :, k] = _usual(*counting.excess(counted, shares[k]))
    return Section(
        instrument=instrument,
        every=every,
        names=tuple(names),
        rows=tuple(known),
        missing=tuple(1.0 - n / max(len(rows.day), 1) for n in known),
        edge_bytes=limits.astype("<f4").tobytes(),
        share_bytes=np.round(shares * UNIT).astype("<u2").tobytes(),
        usual_bytes=usual.astype("<f4").tobytes(),
        habit_bytes=np.stack(habit.habit(*habit.middles(rows, limits, np.arange(len(names))))).astype("<f8").tobytes(),
    )


def _usual(excess: F64, rows: I64) -> F64:
    """[2, LONGEST] as `Section.usual`, from `counting.excess` of the training window's own days.

    A window is part of what it is set against: its distance to all the rest is larger by n / (n - its own rows).
    """
    excess, rows = excess[rows > 0], rows[rows > 0]
    total, n = np.zeros((len(rows) + 1, excess.shape[1])), np.zeros(len(rows) + 1)
    np.cumsum(excess, axis=0, out=total[1:])
    np.cumsum(rows, out=n[1:])
    found = np.full((2, LONGEST), np.nan)
    for length in range(1, min(LONGEST, len(rows) - 1) + 1):
        inside = n[length:] - n[:-length]
        distances = np.abs(total[length:] - total[:-length]).max(axis=1) / inside * n[-1] / (n[-1] - inside)
        found[:, length - 1] = astuple(distance.usual(distances))
    return found
