"""Simulator -> features -> labels -> model -> gate, in memory: no edge where there is none, the planted one where it is."""

import polars as pl
import pytest

from spx_assets.settings import Settings
from spx_assets.training import learn
from spx_assets.training.errors import LeakError
from spx_assets_tests.integration.training import spine

MINUTES = 30


def test_a_driftless_random_walk_has_an_auc_of_one_half_within_its_band(settings: Settings):
    walk = spine.of_market(settings, days=40, edge=0.0)
    model, verdict = spine.learned(spine.datasets(spine.simulated(walk), walk)[MINUTES], walk)
    metrics = model.manifest.metrics
    assert metrics["auc_low"] < 0.5 < metrics["auc_high"]
    assert metrics["auc_high"] - metrics["auc_low"] < 0.25
    assert verdict.verdict == "no_edge"


@pytest.mark.parametrize("seed", [7, 8])
def test_the_planted_edge_is_promoted_at_30_minutes(settings: Settings, seed: int):
    """50 of the 120 days, which leave about 220 effective observations; the long suite has 20 seeds of all."""
    planted = spine.of_market(settings, days=50, seed=seed)
    _, verdict = spine.learned(spine.datasets(spine.simulated(planted), planted)[MINUTES], planted)
    assert verdict.verdict == "promoted", verdict.reason


def test_a_label_leaking_into_a_feature_stops_the_training(settings: Settings):
    """return_30 read at the end of the horizon instead of its start."""
    walk = spine.of_market(settings, days=15, edge=0.0)
    candles = spine.simulated(walk)
    features = spine.model_inputs(candles, walk)
    leaking = features.with_columns(pl.col("return_30").shift(-MINUTES))
    data = spine.joined(leaking, spine.labels(candles, walk), MINUTES)
    with pytest.raises(LeakError, match="return_30 alone tells the direction"):
        learn.learn(data, walk, name="spx500_h30", family="lightgbm", week=spine.last_week(data), run_id="test")
