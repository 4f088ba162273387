"""Split conformal intervals for the return head.

Belongs here: half-widths from calibration residuals. Does not: applying them (`scoring.forecaster`).
"""

import math

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


def half_width(residual_bp: F64, *, level: float, effective: float) -> float:
    """Half-width that covers the next return with probability `level` at least, in basis points.

    The ceil((n + 1) level) / n quantile of |residual| (Lei et al. 2018), n being the effective number of residuals: that of
    overlapping labels promises more than the rows can keep. The largest residual where n is too small for the level.
    """
    n = max(effective, 1.0)
    share = min(math.ceil((n + 1.0) * level) / n, 1.0)
    return float(np.quantile(np.abs(residual_bp), share, method="inverted_cdf"))
