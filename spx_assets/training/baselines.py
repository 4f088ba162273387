"""What a forecaster must beat: zero, the mean, an AR(1) of its own target, the base rate.

Belongs here: forecasts that need no features, fitted on the fit segment. Does not: metrics.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spx_assets.training.splits import MINUTE_US, Rows

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Baselines:
    """Fitted on the fit segment: the mean and the AR(1) in basis points, the base rate as a probability of up."""

    mean_bp: float
    ar1_intercept_bp: float
    ar1_slope: float
    base_rate: float

    def ar1(self, known_bp: F64) -> F64:
        """AR(1) forecast from the last known return; the mean where none is known."""
        forecast: F64 = np.where(np.isnan(known_bp), self.mean_bp, self.ar1_intercept_bp + self.ar1_slope * known_bp)
        return forecast


def last_known(instrument: npt.NDArray[np.int32], ts: I64, return_bp: F64, *, horizon_minutes: int) -> F64:
    """The newest finished return of the same horizon at the end of each bar, NaN where there is none.

    That is the label of the bar `horizon_minutes` earlier: its exit is the close of this bar. Rows are sorted by
    (instrument, ts); `instrument` holds codes from 0.
    """
    if not len(ts):
        return np.empty(0)
    span = int(ts.max() - ts.min()) + (horizon_minutes + 1) * MINUTE_US
    keys = instrument.astype(np.int64) * 2 * span + (ts - ts.min())
    wanted = keys - horizon_minutes * MINUTE_US
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    known: F64 = np.where(keys[place] == wanted, return_bp[place], np.nan)
    return known


def fit(return_bp: F64, up: F64, known_bp: F64, rows: Rows) -> Baselines:
    """Baselines from the fit rows. `up` is 1, 0 or NaN on a tie; the AR(1) is ordinary least squares with an intercept."""
    y, x = return_bp[rows], known_bp[rows]
    paired = ~np.isnan(x)
    slope = 0.0
    if paired.sum() > 2 and np.var(x[paired]) > 0:
        slope = float(np.cov(x[paired], y[paired], ddof=0)[0, 1] / np.var(x[paired]))
    intercept = float(y[paired].mean() - slope * x[paired].mean()) if paired.any() else float(y.mean())
    rate = float(np.nanmean(up[rows])) if not np.all(np.isnan(up[rows])) else 0.5
    return Baselines(float(y.mean()), intercept, slope, float(np.clip(rate, 1e-6, 1.0 - 1e-6)))
