"""Split conformal intervals for the return head, one half-width a volatility regime.

Belongs here: half-widths from calibration residuals, and where one regime ends and the next begins. Does not: applying them
(`scoring.intervals`), following coverage as outcomes arrive (`scoring.adaptive`).
"""

import math

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

REGIMES = 3
EFFECTIVE = 60.0
"""Effective residuals a regime needs: at 95 % the finite-sample quantile of 60 still lies inside them."""
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99)
"""Levels the manifest keeps beside the one that is served: the adaptive interval moves between them."""


def half_width(residual_bp: F64, *, level: float, effective: float) -> float:
    """Half-width that covers the next return with probability `level` at least, in basis points.

    The ceil((n + 1) level) / n quantile of |residual| (Lei et al. 2018), n being the effective number of residuals: that of
    overlapping labels promises more than the rows can keep. The largest residual where n is too small for the level.
    """
    n = max(effective, 1.0)
    share = min(math.ceil((n + 1.0) * level) / n, 1.0)
    return float(np.quantile(np.abs(residual_bp), share, method="inverted_cdf"))


def edges(volatility: F64, effective: float) -> tuple[float, ...]:
    """Terciles of the known values of `volatility`; fewer regimes, or none, where each would have too few effective rows."""
    known = volatility[~np.isnan(volatility)]
    regimes = min(REGIMES, int(effective * len(known) / max(len(volatility), 1) / EFFECTIVE))
    if regimes < 2:
        return ()
    # As float32, in which inputs are compared with them.
    cuts = np.unique(np.quantile(known, np.arange(1, regimes) / regimes).astype(np.float32))
    return tuple(float(cut) for cut in cuts if known.min() < cut <= known.max())


def half_widths(residual_bp: F64, weight: F64, regime: npt.NDArray[np.intp], *, regimes: int, level: float) -> tuple[float, ...]:
    """Half-width of each regime from the residuals in it (Mondrian: Vovk et al. 2005, 4.5); `weight` is their uniqueness.

    Rows of no known regime (-1) are in none.
    """
    return tuple(
        half_width(residual_bp[regime == k], level=level, effective=float(weight[regime == k].sum())) for k in range(regimes)
    )
