"""Splits in time, purged by label life.

Belongs here: which rows may be fitted on, given what is evaluated on which rows. Does not: reading rows, models, weights.

Times are int64 microseconds since the epoch. A label's life is [ts, label_end): no row whose label is still alive when an
evaluation window opens may be fitted on, and between the last such label and the first evaluated row lies the embargo.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from spx_assets.training.errors import NotEnoughRowsError

I64 = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]

MINUTE_US = 60_000_000
SHARES = (0.7, 0.1, 0.1, 0.1)
NAMES = ("fit", "validation", "calibration", "out_of_time")


@dataclass(frozen=True)
class Segments:
    """Row numbers of the four segments, ascending. Later segments start after earlier labels have ended, plus the embargo."""

    fit: Rows
    validation: Rows
    calibration: Rows
    out_of_time: Rows

    def items(self) -> Iterator[tuple[str, Rows]]:
        """(name, rows) in order of time."""
        for name in NAMES:
            yield name, getattr(self, name)


def by_time(ts: I64, label_end: I64, *, embargo_us: int, shares: Sequence[float] = SHARES) -> Segments:
    """Fit, validation, calibration and out-of-time rows by their share of the pooled rows in order of time.

    At each border b an earlier segment keeps only rows with label_end <= b and a later one only rows with ts >= b + embargo,
    so a row may be in no segment. `ts` need not be sorted (instruments are pooled). NotEnoughRowsError if a segment is empty.
    """
    ordered = np.sort(ts)
    cuts = np.round(np.cumsum(shares)[:-1] * len(ts)).astype(np.intp)
    if len(ts) <= cuts[-1] or cuts[0] == 0:
        raise NotEnoughRowsError(f"{len(ts)} labelled rows cannot be split into {NAMES}; backfill more weeks of labels")
    borders = ordered[cuts]
    opens = np.concatenate([ordered[:1], borders + embargo_us])
    closes = np.concatenate([borders, [label_end.max()]])
    segments = [np.flatnonzero((ts >= lo) & (label_end <= hi)) for lo, hi in zip(opens, closes, strict=True)]
    for name, rows in zip(NAMES, segments, strict=True):
        if not len(rows):
            raise NotEnoughRowsError(
                f"the {name} segment is empty: {len(ts)} labelled rows, label lives and an embargo of "
                f"{embargo_us // MINUTE_US} minutes leave nothing; backfill more weeks of labels"
            )
    return Segments(*segments)


def purged(ts: I64, label_end: I64, *, start: int, end: int, embargo_us: int) -> Rows:
    """Rows that may be fitted on when rows with ts in [start, end) are evaluated, before and after them.

    Before: the label ended at least the embargo before `start`. After: the row begins at least the embargo after the last
    evaluated label has ended.
    """
    inside = (ts >= start) & (ts < end)
    last = int(label_end[inside].max(initial=start))
    return np.flatnonzero((label_end + embargo_us <= start) | (ts >= max(end, last + embargo_us)))


def blocks(ts: I64, label_end: I64, *, n: int, embargo_us: int) -> Iterator[tuple[Rows, Rows]]:
    """(fit rows, evaluated rows) of `n` contiguous blocks of equal row count, each evaluated once, purged on both sides."""
    edges = np.quantile(ts, np.linspace(0.0, 1.0, n + 1), method="nearest").astype(np.int64)
    edges[-1] += 1
    for start, end in pairwise(edges):
        yield (
            purged(ts, label_end, start=int(start), end=int(end), embargo_us=embargo_us),
            np.flatnonzero((ts >= start) & (ts < end)),
        )


def expanding(ts: I64, label_end: I64, *, n: int, embargo_us: int) -> Iterator[tuple[Rows, Rows]]:
    """(fit rows, evaluated rows) of `n` folds, each fitted on all that lies before what it evaluates.

    The rows in order of time are cut into n + 1 parts of equal count; fold k evaluates part k + 1 and is fitted on the earlier
    rows whose label ended at least the embargo before it opens. NotEnoughRowsError if a fold has no row to fit on or evaluate.
    """
    edges = np.quantile(ts, np.linspace(0.0, 1.0, n + 2), method="nearest").astype(np.int64)[1:]
    edges[-1] += 1
    for start, end in pairwise(edges):
        fit, asked = np.flatnonzero(label_end + embargo_us <= start), np.flatnonzero((ts >= start) & (ts < end))
        if not len(fit) or not len(asked):
            raise NotEnoughRowsError(f"{len(ts)} labelled rows cannot be cut into {n} folds; ask for fewer or backfill more")
        yield fit, asked


def tail(ts: I64, label_end: I64, *, share: float, embargo_us: int) -> tuple[Rows, Rows]:
    """(earlier rows, the last `share` of the rows in order of time), purged between them; NotEnoughRowsError if one is empty."""
    opens = int(np.quantile(ts, 1.0 - share, method="nearest"))
    earlier, later = np.flatnonzero(label_end + embargo_us <= opens), np.flatnonzero(ts >= opens)
    if not len(earlier) or not len(later):
        raise NotEnoughRowsError(f"{len(ts)} labelled rows leave nothing to stop early on; ask for fewer folds")
    return earlier, later
