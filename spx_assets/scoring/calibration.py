"""Applies a fitted probability calibration.

Belongs here: from raw to calibrated probabilities, in numpy. Does not: fitting (`training.calibrate`).
"""

import numpy as np
import numpy.typing as npt

from spx_assets.scoring.manifest import Calibration

F64 = npt.NDArray[np.float64]
EDGE = 1e-6
"""Probabilities are kept this far from 0 and 1: one sure miss would make a log loss infinite."""


def logit(p: F64) -> F64:
    """ln(p / (1 - p)) of probabilities clipped to [EDGE, 1 - EDGE]."""
    clipped = np.clip(p, EDGE, 1.0 - EDGE)
    return np.log(clipped / (1.0 - clipped))


def apply(calibration: Calibration, p_raw: npt.ArrayLike) -> F64:
    """Calibrated probabilities in [EDGE, 1 - EDGE]; NaN stays NaN. Shape in = shape out."""
    p = np.asarray(p_raw, dtype=np.float64)
    match calibration.kind:
        case "identity":
            out = p
        case "platt":
            # Clipped so that exp never overflows; beyond it the result is clipped anyway.
            out = 1.0 / (1.0 + np.exp(np.clip(-(calibration.a * logit(p) + calibration.b), -700.0, 700.0)))
        case "isotonic" | "venn_abers":
            out = np.interp(p, calibration.x, calibration.y)
    clipped: F64 = np.clip(out, EDGE, 1.0 - EDGE)
    return clipped
