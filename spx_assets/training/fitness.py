"""What a graph must be fit for besides forecasting well: how long one row takes, and how much of its input is missing.

Belongs here: measuring both. Does not: limits (`gate`), parity (`export`).
"""

import time

import numpy as np
import numpy.typing as npt

from spx_assets.scoring.forecaster import Forecaster
from spx_assets.training.dataset import Dataset
from spx_assets.training.splits import Segments

CALLS = 50
WARM = 5


def latency_ms(ready: Forecaster, row: npt.NDArray[np.float32]) -> float:
    """Median time of one forecast, `row` being [1, f] or [1, input_rows, f]; the first calls warm the session."""
    taken = []
    for _ in range(WARM + CALLS):
        began = time.perf_counter()
        ready.predict(row)
        taken.append(time.perf_counter() - began)
    return float(np.median(taken[WARM:])) * 1e3


def missing_share(data: Dataset, segments: Segments) -> float:
    """Share of nulls out of time among the inputs that the fit segment knew at all.

    A feed without volume leaves its volume features null for ever: that is known from the fit and no fault of today's.
    """
    nulls = [
        (np.isnan(data.X[segments.fit, k]).all(), np.isnan(data.X[segments.out_of_time, k]).mean())
        for k in range(data.X.shape[1])
    ]
    shares = [float(share) for never, share in nulls if not never]
    return float(np.mean(shares)) if shares else 1.0
