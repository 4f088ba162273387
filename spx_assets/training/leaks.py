"""The last look for a label among the inputs.

Belongs here: a screen of single inputs on the fit segment. Does not: the proof that features are causal (each catalog entry's
own tests), which also finds leaks too weak to be seen here.
"""

import numpy as np
import numpy.typing as npt

from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import LeakError
from spx_assets.training.evaluation import auc
from spx_assets.training.splits import Rows

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

LIMIT = 0.85
"""AUC of one input alone. Half a horizon seen in advance gives 0.75 to 0.85, all of it 1; honest inputs stay below 0.6."""
ROWS = 20_000
"""Rows looked at, evenly spread: the AUC of an uninformed input then strays by 0.02 at 30 minutes, and 120 inputs take 1 s."""


def check(data: Dataset, rows: Rows) -> None:
    """LeakError if an input alone, whichever way round, separates up from down in `rows` better than any honest one can."""
    told = rows[~np.isnan(data.up[rows])]
    asked = told[np.unique(np.linspace(0, max(len(told) - 1, 0), min(ROWS, len(told))).astype(np.intp))]
    up = data.up[asked]
    # Each input's values side by side, and sorted as the 32 bits they are: half the time of gathering and widening one by one.
    for name, values in zip(data.features, np.ascontiguousarray(data.X[asked].T), strict=True):
        alone = separation(values, up)
        if alone > LIMIT:
            raise LeakError(
                f"{name} alone tells the direction of the next {data.horizon_minutes} minutes with an AUC of {alone:.3f}; "
                "it must hold what was not known yet. Correct its kernel, or leave it out of the model inputs"
            )


def separation(values: F32 | F64, up: F64) -> float:
    """AUC of `values` or of their negative, whichever is larger, over the rows where they are known; 0.5 where none can tell."""
    known = ~np.isnan(values)
    area = auc(up[known], values[known])
    return 0.5 if np.isnan(area) else max(area, 1.0 - area)
