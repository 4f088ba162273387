"""What a network learns from: rows that end a full sequence, and the scale of its inputs.

Belongs here: choosing rows and measuring inputs, in numpy. Does not: cutting sequences out (`scoring.sequences`), any network.
"""

import numpy as np
import numpy.typing as npt

from spx_assets.settings import LstmSettings
from spx_assets.training.dataset import Dataset
from spx_assets.training.errors import NotEnoughRowsError
from spx_assets.training.splits import Rows

F32 = npt.NDArray[np.float32]


def full(data: Dataset, rows: Rows, chosen: LstmSettings, segment: str, *, most: int) -> Rows:
    """Up to `most` of `rows`, evenly spread among those with a full sequence."""
    full = rows[data.run[rows] >= chosen.sequence]
    if not len(full):
        raise NotEnoughRowsError(
            f"no row of the {segment} segment ends a sequence of {chosen.sequence} bars without a gap above {data.tolerance_min} "
            "minutes inside a trading day; shorten SPX_MODELS__LSTM__SEQUENCE or backfill more weeks"
        )
    return full[np.unique(np.linspace(0, len(full) - 1, min(most, len(full))).astype(np.intp))]


def scaling(X: F32, rows: Rows) -> tuple[F32, F32]:
    """(mean, 1 / standard deviation) of each input in `rows`; 0 deviations for one that is constant or always null."""
    mean, inverse = (np.zeros(X.shape[1], dtype=np.float32) for _ in range(2))
    for k in range(X.shape[1]):
        column = X[rows, k]
        known = column[~np.isnan(column)].astype(np.float64)
        if len(known) and known.min() < known.max():
            mean[k], inverse[k] = known.mean(), 1.0 / known.std()
    return mean, inverse
