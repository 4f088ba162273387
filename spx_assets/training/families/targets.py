"""What each head learns from: the same cut, the same ties and the same weights in every family.

Belongs here: targets and weights of a fit. Does not: any model, the weights' origin (`uniqueness`).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from spx_assets.training.dataset import Dataset
from spx_assets.training.families.base import mean_one
from spx_assets.training.splits import Rows, Segments

F64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Target:
    """What one head learns, for every row of a dataset; rows of no weight teach nothing and may hold NaN."""

    values: F64
    weight: F64

    def of(self, rows: Rows) -> tuple[F64, F64]:
        """(target, weight) of `rows`, weights at a mean of 1."""
        return self.values[rows], mean_one(self.weight, rows)


def returns(data: Dataset, segments: Segments, weight: F64, *, clip: float) -> Target:
    """The return in basis points, cut at `clip` standard deviations of the fit segment.

    A squared loss on one-minute data is ruled by a few news minutes: uncut, three rows in a thousand carry a third of it.
    """
    limit = clip * float(np.std(data.return_bp[segments.fit]))
    return Target(np.clip(data.return_bp, -limit, limit), weight)


def direction(data: Dataset, weight: F64) -> Target:
    """1 for up and 0 for down. A tie has no direction: it stays in the rows, which both heads share, without a weight."""
    return Target(np.nan_to_num(data.up), np.where(np.isnan(data.up), 0.0, weight))
