"""Whether probabilities mean what they say: calibration error, the band chance alone would leave, hits by confidence.

Belongs here: judging probabilities that are calibrated already. Does not: calibrating them (`training.calibrate`).
"""

import msgspec
import numpy as np
import numpy.typing as npt
from scipy import special

from spx_assets.training import hac, uniqueness

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

BINS = 10
DRAWS = 200
"""The 95th of 100 parts of 200 draws has a standard error of 1.5 percentiles; 120,000 rows take about a CPU second."""
EDGES = (0.5, 0.51, 0.52, 0.53, 0.54, 0.55, 0.575, 0.6, 0.65, 0.7, 1.0)
"""Of the confidence buckets. Most forecasts of half an hour lie below 0.55; 0.6 is where a signal begins by default."""
NAN = float("nan")


class Bin(msgspec.Struct, frozen=True):
    """One bin of the reliability curve: mean probability and share of up with its 95 % HAC interval, null where all are alike."""

    rows: int
    probability: float
    share: float
    low: float | None
    high: float | None


class Bucket(msgspec.Struct, frozen=True):
    """Rows whose confidence lies in [low, high): share of right directions with its 95 % HAC interval, as in `Bin`."""

    low: float
    high: float
    rows: int
    effective_obs: float
    confidence: float
    accuracy: float
    accuracy_low: float | None
    accuracy_high: float | None


def error(up: F64, p: F64, *, bins: int = BINS) -> float:
    """Expected calibration error: mean |observed share of up - mean p| over bins of equal count."""
    parts = _parts(p, bins)
    gaps = [len(part) * abs(float(up[part].mean()) - float(p[part].mean())) for part in parts]
    return sum(gaps) / len(up) if len(up) else NAN


def band(p: F64, *, ts: I64, label_end: I64, level: float = 0.95, bins: int = BINS, draws: int = DRAWS, seed: int = 0) -> float:
    """The calibration error that forecasts p, were they exactly right, stay below with probability `level`.

    Outcomes are drawn: a Gaussian walk runs through the time all labels cover, each label's part of it, scaled to a variance
    of one, is compared with the p-quantile of a normal. So each row goes up with its own probability, and rows share as much
    of their luck as their labels overlap: at 30 minutes that widens the band by 2.6 where neighbours' forecasts have nothing
    in common, by 4.7 where they hardly differ. Rows of several instruments at one time share all of it, as in the effective
    sample size. `seed` fixes the draws.
    """
    if not len(p):
        return NAN
    parts = _parts(p, bins)
    order, starts = np.concatenate(parts), np.cumsum([0, *(len(part) for part in parts[:-1])])
    edges = np.unique(np.concatenate([ts, label_end]))
    opened, closed = np.searchsorted(edges, ts[order]), np.searchsorted(edges, label_end[order])
    # The walk over a label's life is compared with the quantile times the root of that life.
    limit = special.ndtri(p[order]) * np.sqrt((label_end - ts)[order])
    steps, expected = np.sqrt(np.diff(edges)), np.add.reduceat(p[order], starts)
    generator, walk, errors = np.random.default_rng(seed), np.zeros(len(edges)), np.empty(draws)
    for draw in range(draws):
        np.cumsum(steps * generator.standard_normal(len(steps)), out=walk[1:])
        went_up = (walk[closed] - walk[opened] < limit).astype(np.float64)
        errors[draw] = np.abs(np.add.reduceat(went_up, starts) - expected).sum() / len(p)
    return float(np.quantile(errors, level))


def curve(up: F64, p: F64, *, ts: I64, label_end: I64, bins: int = BINS) -> tuple[Bin, ...]:
    """The bins of `error`, from the lowest probabilities to the highest."""
    made = []
    for part in _parts(p, bins):
        share = hac.average(up[part], ts=ts[part], label_end=label_end[part])
        made.append(Bin(len(part), float(p[part].mean()), share.value, *_interval(share)))
    return tuple(made)


def by_confidence(up: F64, p: F64, *, ts: I64, label_end: I64) -> tuple[Bucket, ...]:
    """Hits by the probability of the stated direction; buckets without rows are left out."""
    confidence, right = np.maximum(p, 1.0 - p), ((p > 0.5) == (up > 0.5)).astype(np.float64)
    place = np.minimum(np.searchsorted(EDGES, confidence, side="right") - 1, len(EDGES) - 2)
    made = []
    for number in np.unique(place).tolist():
        part = place == number
        hits = hac.average(right[part], ts=ts[part], label_end=label_end[part])
        low, high = _interval(hits)
        made.append(
            Bucket(
                low=EDGES[number],
                high=EDGES[number + 1],
                rows=int(part.sum()),
                effective_obs=uniqueness.effective(ts[part], label_end[part]),
                confidence=float(confidence[part].mean()),
                accuracy=hits.value,
                accuracy_low=low,
                accuracy_high=high,
            )
        )
    return tuple(made)


def _interval(share: hac.Average) -> tuple[float | None, float | None]:
    """The 95 % interval of a share; unknown where no two rows differ."""
    if share.error == 0.0:
        return None, None
    low, high = share.interval(0.95)
    return max(low, 0.0), min(high, 1.0)


def _parts(p: F64, bins: int) -> list[npt.NDArray[np.intp]]:
    """Rows by bins of equal count in order of p. Equal probabilities share a bin: isotonic steps and constants are not cut.

    Equal to six digits: a graph in single precision gives the rows of one step last digits of their own.
    """
    rounded = np.round(p, 6)
    order = np.argsort(rounded, kind="stable")
    ordered = rounded[order]
    number = np.searchsorted(ordered, ordered, side="left") * bins // max(len(p), 1)
    return np.split(order, np.flatnonzero(np.diff(number)) + 1) if len(p) else []
