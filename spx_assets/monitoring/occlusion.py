"""What a forecast owes to each input: how far it moves when the input is as usual.

Belongs here: occlusion against training medians on few rows, and which rows. Does not: how much a model loses without an input
(`training.evaluation.importance`), drift of the shares (`output_drift`).
"""

import numpy as np

from spx_assets.monitoring.counting import F32, F64
from spx_assets.monitoring.habit import MIDDLE
from spx_assets.monitoring.reference import Section
from spx_assets.scoring.forecaster import Forecaster

EVERY = 113
"""Minutes between the rows that are looked at: twelve a day, at other minutes each day. Each costs a forecast an input."""
KNOWN_ROWS = 480
"""Most rows, the newest, that tell what is usual: 40 days. 120 inputs of a graph of 2 x 200 trees take 1 CPU s."""
MOST_INPUTS = 20
"""Inputs that are followed, those with the largest shares: they make up most of a forecast, and the file stays small."""
FEWEST_ROWS = 20


def centres(section: Section) -> F64:
    """Training medians of the inputs of a section, over the hours of the day; NaN where nothing was known."""
    middle = section.edges[:, :, MIDDLE].astype(np.float64)
    known = ~np.isnan(middle)
    out = np.full(len(middle), np.nan)
    for k in np.flatnonzero(known.any(axis=1)):
        out[k] = np.median(middle[k, known[k]])
    return out


def shares(ready: Forecaster, X: F32, centre: F64) -> F32:
    """Share of each input in the moves of the expected return, [rows, inputs], of rows X that can be forecast.

    For models of one input row. A row that no input moves has no shares.
    """
    base, _ = ready.heads(X)
    moved = np.empty(X.shape)
    hidden = X.copy()
    for k in range(X.shape[1]):
        hidden[:, k] = centre[k]
        moved[:, k] = np.abs(ready.heads(hidden)[0] - base)
        hidden[:, k] = X[:, k]
    whole = moved.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(moved, whole, out=np.full(X.shape, np.nan), where=whole > 0), dtype=np.float32)
