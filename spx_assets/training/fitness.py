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
    """How much less of the inputs is known out of time than in the fit segment: the mean share that was lost of each.

    A feed without volume leaves its volume features null for ever, and hours without an article have no sentiment, five bars in
    six of a quiet home: that is known from the fit and no fault of today's. A news provider that fell silent is.
    """
    fit, today = (1.0 - data.null_share(rows) for rows in (segments.fit, segments.out_of_time))
    lost = np.maximum(0.0, 1.0 - today[fit > 0] / fit[fit > 0])
    return float(np.mean(lost)) if len(lost) else 1.0
