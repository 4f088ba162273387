"""Datasets whose edge was destroyed: what the gate must not promote more often than its level says.

Belongs here: the three placebos. Does not: asserting anything.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spx_assets.settings import Settings
from spx_assets.training import gate
from spx_assets.training.dataset import Dataset
from spx_assets.training.learn import learn
from spx_assets_tests.integration.training import spine

DAYS = 50
MINUTES = 30
DAY_US = 86_400_000_000


def permuted_labels(data: Dataset, rng: np.random.Generator) -> Dataset:
    """Each trading day gets the labels of another one at the same minute; minutes that day lacks have none."""
    day = _days(data)
    order = np.unique(day)
    source = dict(zip(order, rng.permutation(order), strict=True))
    minute = data.ts % DAY_US
    place = {(d, m): row for row, (d, m) in enumerate(zip(day, minute, strict=True))}
    rows = np.array([place.get((source[d], m), -1) for d, m in zip(day, minute, strict=True)])
    known = rows >= 0
    return replace(
        data,
        return_bp=np.where(known, data.return_bp[rows], np.nan),
        up=np.where(known, data.up[rows], np.nan),
    )


def shifted_features(data: Dataset, rng: np.random.Generator) -> Dataset:
    """Every row has the features of the row a full trading day earlier."""
    X = np.full_like(data.X, np.nan)
    X[1_380:] = data.X[:-1_380]
    return replace(data, X=X)


def random_features(data: Dataset, rng: np.random.Generator) -> Dataset:
    """Inputs that know nothing and remember themselves for about half an hour, as real ones do."""
    noise = rng.standard_normal(data.X.shape).astype(np.float32)
    X = np.empty_like(noise)
    X[0] = noise[0]
    for row in range(1, len(X)):
        X[row] = 0.97 * X[row - 1] + 0.2431 * noise[row]
    return replace(data, X=X)


PLACEBOS: tuple[Callable[[Dataset, np.random.Generator], Dataset], ...] = (permuted_labels, shifted_features, random_features)


def verdict(settings: Settings, seed: int, *, days: int = DAYS) -> gate.Judgement:
    """The gate's verdict on the placebo of `seed`: one of the three kinds on a market of that seed with the planted edge."""
    market = spine.of_market(settings, days=days, seed=seed)
    data = spine.datasets(spine.simulated(market), market, horizons=(MINUTES,))[MINUTES]
    data = PLACEBOS[seed % len(PLACEBOS)](data, np.random.default_rng(seed))
    model = learn(data, market, name="spx500_h30", family="lightgbm", week=spine.last_week(data), run_id="placebo")
    return gate.judge(model.manifest.metrics, market.models.gate)


def _days(data: Dataset) -> np.ndarray:
    """A number that rises by one each trading day: an hour lies between two of them."""
    return np.cumsum(np.diff(data.ts, prepend=data.ts[0]) > 30 * 60_000_000)
