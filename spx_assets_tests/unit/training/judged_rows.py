"""Forecasts and outcomes of simulated one-minute rows, for tests of metrics and reports."""

import numpy as np
from scipy.stats import norm

from spx_assets.training.baselines import Baselines
from spx_assets.training.evaluation import Judged

MINUTE = 60_000_000
MONDAY = 1_757_887_200_000_000 - 60 * MINUTE
"""2025-09-14 21:00 UTC: Sunday 17:00 New York, the start of a trading day."""
BASELINES = Baselines(mean_bp=0.2, ar1_intercept_bp=0.1, ar1_slope=0.05, base_rate=0.55)


def minutes(n, horizon=1):
    """Times of n rows of one a minute."""
    ts = MONDAY + np.arange(n, dtype=np.int64) * MINUTE
    return {"ts": ts, "label_end": ts + (horizon + 1) * MINUTE}


def judged(n=4_000, *, horizon=1, edge=0.3, seed=0):
    """Returns of which `edge` is known, a calibrated probability, a few ties."""
    rng = np.random.default_rng(seed)
    known, noise = rng.standard_normal((2, n))
    value = edge * known + noise
    up = np.where(rng.random(n) < 0.02, np.nan, (value > 0).astype(float))
    expected = edge * known
    return Judged(
        **minutes(n, horizon),
        return_bp=value,
        up=up,
        known_bp=np.where(rng.random(n) < 0.1, np.nan, rng.standard_normal(n)),
        expected_bp=expected,
        probability_up=norm.cdf(expected),
        interval_low_bp=expected - 1.645,
        interval_high_bp=expected + 1.645,
    )
