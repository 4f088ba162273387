"""How far apart two distributions lie, and whether that is more than chance.

Belongs here: Kolmogorov-Smirnov, the population stability index, effective sample sizes, Benjamini-Hochberg. Does not: counting
rows (`counting`), what is compared with what (`features`, `outputs`).

Minute bars follow one another closely: the plain p-value of 7,000 of them against a year rejects every week. A sample of a few
days is worth as many independent draws as the distances of such samples in quiet times tell, see `chance`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

F64 = npt.NDArray[np.float64]

MEDIAN, UPPER = 0.82757, 1.35810
"""Quantiles of Kolmogorov's distribution at 50 and 95 %."""
FLOOR = 1e-4
"""Least share of a bin in the stability index: an empty bin would else be infinitely far."""
FEWEST_SAMPLES = 8
"""Below it the spread between samples says too little of what is usual."""


def ks(sample: F64, reference: F64) -> F64:
    """Largest distance between two distribution functions given at the same edges, over the last axis."""
    return np.asarray(np.max(np.abs(sample - reference), axis=-1), dtype=np.float64)


def psi(sample: F64, reference: F64) -> F64:
    """Population stability index of shares of the same bins: sum of (p - q) ln(p / q) over the last axis."""
    p, q = np.maximum(sample, FLOOR), np.maximum(reference, FLOOR)
    return np.asarray(np.sum((p - q) * np.log(p / q), axis=-1), dtype=np.float64)


@dataclass(frozen=True)
class Chance:
    """What samples of quiet times tell of how far a sample lies off by chance; NaN where they are too few."""

    size: float
    """Independent draws that a sample is worth."""
    freedom: float
    """Independent samples that told it."""


def chance(distances: F64, *, draws: float) -> Chance:
    """From the distances of overlapping samples in order of time to all others; a sample has `draws` rows in the mean.

    The size is the smaller of what their median and their 95 % quantile say: volatility comes in clusters, which makes the tail
    longer than that of independent draws of any number. Clusters also mean that half a year of days may hold only a dozen
    independent ones, which the integrated autocorrelation counts.
    """
    n = len(distances)
    if n < FEWEST_SAMPLES:
        return Chance(np.nan, np.nan)
    middle, upper = np.quantile(distances, [0.5, 0.95])
    told = [(usual / found) ** 2 for usual, found in ((MEDIAN, middle), (UPPER, upper)) if found > 0]
    return Chance(float(min([draws, *told])), max(n / _memory(distances), 2.0))


def _memory(x: F64) -> float:
    """Integrated autocorrelation time 1 + 2 sum of rho_k, summed up to the first that is not positive, at least 1."""
    centred = x - x.mean()
    variance = float(centred @ centred)
    if variance == 0.0:
        return 1.0
    found = 1.0
    for k in range(1, len(x) // 2):
        rho = float(centred[k:] @ centred[:-k]) / variance
        if rho <= 0:
            break
        found += 2.0 * rho
    return found


def p_value(statistic: F64, size: F64, freedom: F64) -> F64:
    """Share of samples that lie at least this far off by chance; NaN where that is not known.

    Kolmogorov's tail (1933) for `size` independent draws. As the size was itself estimated from `freedom` independent samples,
    the normal deviate of that tail is referred to Student's t, widened for the error of what it is set against.
    """
    deviate = -special.ndtri(np.maximum(special.kolmogorov(np.sqrt(size) * statistic), 1e-300) / 2.0)
    return np.asarray(2.0 * special.stdtr(freedom - 1.0, -deviate / np.sqrt(1.0 + 1.0 / freedom)), dtype=np.float64)


def adjusted(p: F64) -> F64:
    """p-values so adjusted that those below a are false in a share of at most a (Benjamini and Hochberg 1995). NaN stays NaN."""
    out = np.full(len(p), np.nan)
    known = np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    scaled = p[order] * len(order) / np.arange(1, len(order) + 1)
    out[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return out
