"""Rows whose return is known to hang on some inputs, for tests of what families learn.

Belongs here: datasets made in memory and their segments. Does not: any family, any lake.
"""

import numpy as np

from spx_assets.settings import LightGBMSettings, LinearSettings, ModelSettings, RandomForestSettings, XGBoostSettings
from spx_assets.training import splits
from spx_assets.training.dataset import Dataset

MINUTE = 60_000_000
N = 9_000
FEATURES = ("slope", "bend", "coarse", "gappy", "level", "flat", "absent")


def data(*, linear: float = 1.0, nonlinear: float = 0.0, seed: int = 0) -> Dataset:
    """Noise of 3 and two inputs that move the return: `slope` by `linear` a unit, |`bend`| by -`nonlinear`.

    Beside them: few values, a fifth nulls, a mean far from zero, one value only, nulls only.
    """
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((N, len(FEATURES))).astype(np.float32)
    X[:, 2] = np.round(X[:, 2], 1)
    X[rng.random(N) < 0.2, 3] = np.nan
    X[:, 4] = 4_000 + 20 * X[:, 4]
    X[:, 5] = 7.0
    X[:, 6] = np.nan
    noise = 3 * rng.standard_t(4, N)
    y = linear * X[:, 0] - nonlinear * (np.abs(X[:, 1]) - np.sqrt(2 / np.pi)) + noise
    ts = np.arange(N, dtype=np.int64) * MINUTE
    return Dataset(
        features=FEATURES,
        instruments=("SPX500_USD",),
        horizon_minutes=1,
        X=X,
        instrument=np.zeros(N, np.int32),
        ts=ts,
        label_end=ts + 2 * MINUTE,
        return_bp=y,
        up=np.where(np.abs(y) < 0.01, np.nan, (y > 0).astype(float)),
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


def segments(rows: Dataset) -> splits.Segments:
    return splits.by_time(rows.ts, rows.label_end, embargo_us=MINUTE)


def settings(*, threads: int = 1, seed: int = 7, rounds: int = 25) -> ModelSettings:
    """Every family cut to a second on these rows."""
    return ModelSettings(
        lightgbm=LightGBMSettings(max_rounds=rounds, min_child_samples=200, threads=threads, seed=seed),
        xgboost=XGBoostSettings(max_rounds=rounds, min_child_rows=200, threads=threads, seed=seed),
        random_forest=RandomForestSettings(
            n_estimators=min(10, rounds), max_samples=3_000, max_features=1.0, threads=threads, seed=seed
        ),
        linear=LinearSettings(),
    )
