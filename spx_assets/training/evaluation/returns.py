"""The return head: errors in basis points and correlation, each beside zero, the mean and the AR(1) on the same rows.

Belongs here: what an expected return is worth, with intervals that know labels overlap. Does not: directions (`direction`).
"""

import numpy as np
import numpy.typing as npt

from spx_assets.training import hac, skill
from spx_assets.training.baselines import Baselines

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]

NAN = float("nan")


def metrics(y: F64, f: F64, known_bp: F64, baselines: Baselines, *, ts: I64, label_end: I64) -> dict[str, float]:
    """The forecast f of y; `known_bp` is what the AR(1) starts from, NaN where nothing is known."""
    errors = of_forecast(y, f, ts=ts, label_end=label_end)
    simple = forecasts(baselines, known_bp)
    return {
        **errors,
        **{f"rmse_{name}_bp": rmse(y, forecast) for name, forecast in simple.items()},
        **{f"mae_{name}_bp": mae(y, forecast) for name, forecast in simple.items()},
        "p_return": skill.clark_west(y, f, ts=ts, label_end=label_end).p_greater,
    }


def forecasts(baselines: Baselines, known_bp: F64) -> dict[str, F64]:
    """What each baseline expects."""
    zero = np.zeros(len(known_bp))
    return {"zero": zero, "mean": zero + baselines.mean_bp, "ar1": baselines.ar1(known_bp)}


def of_forecast(y: F64, f: F64, *, ts: I64, label_end: I64) -> dict[str, float]:
    """What any forecast of y, a baseline's too, is measured by; the interval of the IC at 95 %."""
    ic, (ic_low, ic_high) = correlation(y, f, ts=ts, label_end=label_end)
    zero = float(np.mean(y**2))
    return {
        "rmse_bp": rmse(y, f),
        "mae_bp": mae(y, f),
        "r2_zero": 1.0 - float(np.mean((y - f) ** 2)) / zero if zero > 0 else NAN,
        "ic": ic,
        "ic_low": ic_low,
        "ic_high": ic_high,
    }


def rmse(y: F64, f: F64) -> float:
    return float(np.sqrt(np.mean((y - f) ** 2)))


def mae(y: F64, f: F64) -> float:
    return float(np.mean(np.abs(y - f)))


def correlation(y: F64, f: F64, *, ts: I64, label_end: I64) -> tuple[float, tuple[float, float]]:
    """Pearson correlation and its 95 % HAC interval by the delta method; NaN where either is constant."""
    spread_y, spread_f = float(np.std(y)), float(np.std(f))
    # A constant forecast has a spread of a few units in the last place of its level, not exactly zero.
    if spread_y == 0 or spread_f <= 1e-12 * max(1.0, float(np.max(np.abs(f)))):
        return NAN, (NAN, NAN)
    zy, zf = (y - y.mean()) / spread_y, (f - f.mean()) / spread_f
    r = float(np.mean(zy * zf))
    low, high = hac.average(zy * zf - r * (zy**2 + zf**2) / 2 + r, ts=ts, label_end=label_end).interval(0.95)
    return r, (max(low, -1.0), min(high, 1.0))
