"""Shares of inputs in a forecast, against a graph whose weights are known."""

import numpy as np
import pytest

from spx_assets.monitoring import occlusion, summary
from spx_assets.scoring.forecaster import Forecaster
from spx_assets_tests.unit.scoring import toy


def test_shares_of_a_weighted_sum_are_those_of_its_weights() -> None:
    ready = Forecaster(toy.manifest(), toy.graph([1.0, 2.0]))
    X = np.array([[1.0, 1.0], [3.0, 0.0], [0.0, 0.0]], dtype=np.float32)
    found = occlusion.shares(ready, X, np.zeros(2))
    assert found[:2] == pytest.approx(np.array([[1 / 3, 2 / 3], [1.0, 0.0]]), abs=1e-6)
    assert np.isnan(found[2]).all()


def test_the_usual_is_the_median_of_the_training_window() -> None:
    ts = np.arange(2001, dtype=np.int64) * 60_000_000
    X = np.stack([np.arange(2001) % 101, np.full(2001, np.nan)], axis=1).astype(np.float32)
    centre = occlusion.centres(summary.section("A", ts, X, ("known", "unknown"), every=1))
    assert centre[0] == pytest.approx(50, abs=6)
    assert np.isnan(centre[1])
