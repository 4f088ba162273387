"""How far apart two distributions lie, and whether that is more than is usual.

Belongs here: Kolmogorov-Smirnov, the population stability index, what earlier samples tell of both, Benjamini-Hochberg. Does not:
counting rows (`counting`), medians of days (`habit`), what is compared with what (`feature_drift`, `output_drift`).

Minute bars follow one another closely and volatility comes in clusters of weeks: the textbook p-value of 7,000 bars against a
year rejects every week, and more bars make it worse. So a distance is set against those of earlier samples of the same length,
and against as few of them as are independent of one another.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

FLOOR = 1e-4
"""Least share of a bin in the stability index: an empty bin would else be infinitely far."""
FEWEST_SAMPLES = 8
"""Below it the spread between samples says too little of what is usual."""
FARTHEST = 0.995
"""Distances beyond it are taken as it: twenty bins tell no more of how far off is what lies outside all of the reference."""


def ks(sample: F64, reference: F64) -> F64:
    """Largest distance between two distribution functions given at the same edges, over the last axis."""
    return np.asarray(np.max(np.abs(sample - reference), axis=-1), dtype=np.float64)


def psi(sample: F64, reference: F64) -> F64:
    """Population stability index of shares of the same bins: sum of (p - q) ln(p / q) over the last axis."""
    p, q = np.maximum(sample, FLOOR), np.maximum(reference, FLOOR)
    return np.asarray(np.sum((p - q) * np.log(p / q), axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class Usual:
    """What earlier samples tell of how far a sample lies off; NaN where they are too few."""

    spread: float
    """Root mean square of their `shift`, widened for what they cannot know."""
    freedom: float
    """Independent samples that told it."""


def shift(distance: F64) -> F64:
    """The move of a normal distribution, in halves of its standard deviation, that gives this Kolmogorov-Smirnov distance.

    Levels that come and go are about normal on this scale, which distances, that end at 1, are not.
    """
    # Here, not above: its import takes 0.2 s, which every process that opens the graph would pay.
    from scipy import special

    return np.asarray(special.ndtri((1.0 + np.minimum(distance, FARTHEST)) / 2.0), dtype=np.float64)


def usual(distances: F64) -> Usual:
    """From the distances of overlapping samples in order of time to all of them together.

    All of them together is no more than a sample itself: the level of a year is known from as few independent values as the year
    holds, half as many as squares of distances have. The spread about it looks too narrow by 1 - 2/n, and what comes next lies
    about another level, 1 + 2/n.
    """
    if len(distances) < FEWEST_SAMPLES:
        return Usual(np.nan, np.nan)
    moved = shift(distances)
    freedom = max(len(moved) / memory(moved), 2.0)
    return Usual(float(np.sqrt(np.mean(moved**2)) * widened(freedom / 2.0)), freedom)


def widened(values: float) -> float:
    """Factor from a spread about the mean of so many independent values to the spread of the next about that mean."""
    return float(np.sqrt((1.0 + 1.0 / max(values, 1.0)) / max(1.0 - 1.0 / max(values, 1.0), 0.3)))


def memory(x: F64) -> float:
    """Integrated autocorrelation time 1 + 2 sum of rho_k, summed up to the first that is not positive, at least 1.

    Autocorrelations about the sample's own mean are too low by memory/n each (Marriott and Pope 1954), which is given back.
    """
    centred = x - x.mean()
    variance = float(centred @ centred)
    if variance == 0.0:
        return 1.0
    found, k = 1.0, 1
    for k in range(1, len(x) // 2):
        rho = float(centred[k:] @ centred[:-k]) / variance
        if rho <= 0:
            break
        found += 2.0 * rho
    return found / max(1.0 - 2.0 * (k - 1) / len(x), 0.3)


def p_value(statistic: F64, spread: F64, freedom: F64, *, rows: F64) -> F64:
    """Share of samples that lie at least this far off when nothing has changed; NaN where that is not known.

    Student's t of the `shift` beside the usual one. Never less than Kolmogorov's tail (1933) for `rows` independent draws: a
    sample of few rows lies far off by itself.
    """
    from scipy import special

    with np.errstate(invalid="ignore", divide="ignore"):
        beside = 2.0 * special.stdtr(freedom, -shift(statistic) / spread)
    return np.asarray(np.maximum(beside, special.kolmogorov(np.sqrt(rows) * statistic)), dtype=np.float64)


def adjusted(p: F64) -> F64:
    """p-values so adjusted that those below a are false in a share of at most a (Benjamini and Hochberg 1995). NaN stays NaN."""
    out = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return out
