"""Tests of forecasting skill: is a head better than its baseline, is a candidate better than the champion.

Belongs here: Clark-West for nested models in squared and in log loss, Diebold-Mariano between rivals. Does not: standard
errors (`hac`), thresholds (`gate`).

A model that holds its baseline as a special case pays, out of time, for every coefficient it had to estimate, so the plain
loss difference of a useless model is negative, not zero, and a test of it has next to no power against a weak edge. Clark and
West (2007) add that cost back. In squared loss against zero the adjusted difference is
y^2 - [(y - f)^2 - f^2] = 2 y f. In log loss against a base rate q the cost is the Kullback-Leibler divergence of p from q,
and log loss(q) - [log loss(p) - KL(q || p)] = (up - q) (logit p - logit q). Both have mean zero when the forecast knows
nothing. The gate asks besides that the plain loss is lower than the baseline's.
"""

import numpy as np
import numpy.typing as npt

from spx_assets.scoring.calibration import logit
from spx_assets.training import hac

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]


def log_losses(up: F64, p: F64) -> F64:
    """Log loss of each row; `up` is 1 or 0, `p` inside (0, 1)."""
    losses: F64 = -np.where(up > 0.5, np.log(p), np.log1p(-p))
    return losses


def clark_west(y: F64, f: F64, *, ts: I64, label_end: I64) -> hac.Average:
    """Mean of 2 y f in squared units of y: `p_greater` tests the forecast f of y against a forecast of zero."""
    return hac.average(2.0 * y * f, ts=ts, label_end=label_end)


def clark_west_log_loss(up: F64, p: F64, base: float, *, ts: I64, label_end: I64) -> hac.Average:
    """Mean of (up - base) (logit p - logit base): `p_greater` tests p against the constant probability `base`."""
    return hac.average((up - base) * (logit(p) - logit(np.array(base))), ts=ts, label_end=label_end)


def diebold_mariano(loss: F64, rival_loss: F64, *, ts: I64, label_end: I64) -> hac.Average:
    """Mean of rival_loss - loss: `p_greater` tests whether `loss` is the smaller (Diebold and Mariano 1995).

    The standard error carries the correction of Harvey, Leybourne and Newbold (1997) for a horizon of h rows among n:
    the statistic is multiplied by sqrt((n + 1 - 2h + h(h-1)/n) / n), h being the horizon in rows.
    """
    plain = hac.average(rival_loss - loss, ts=ts, label_end=label_end)
    n = plain.times
    h = min(hac.life_rows(ts, label_end) - 1, n // 2)
    factor = np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    return hac.Average(plain.value, plain.error / factor, plain.freedom, n)
