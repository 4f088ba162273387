"""Answers beside what the gate saw: worse is told from unlucky."""

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import polars as pl
import pytest

from spx_assets.monitoring import performance
from spx_assets.scoring.manifest import Manifest
from spx_assets.settings.monitoring import PerformanceSettings
from spx_assets_tests.unit.scoring import toy

RULES = PerformanceSettings(min_rows=4)
START = datetime(2025, 10, 13, 14, tzinfo=UTC)


def gate(rmse: float = 10.0, log_loss: float = 0.69) -> Manifest:
    metrics = {"rmse_bp": rmse, "mae_bp": 8.0, "log_loss": log_loss, "auc": 0.55, "coverage_interval": 0.9}
    return msgspec.structs.replace(toy.manifest(), metrics=metrics)


def settled(realised: list[float], expected: list[float], probability: list[float], *, half: float = 5.0) -> pl.DataFrame:
    n = len(realised)
    y, p = np.array(realised), np.array(probability)
    said = np.where(p >= 0.5, "up", "down")
    hit = [None if value == 0 else (value > 0) == (word == "up") for value, word in zip(y, said, strict=True)]
    return pl.DataFrame(
        {
            "instrument": ["SPX500_USD"] * n,
            "ts": pl.Series([START + timedelta(minutes=i) for i in range(n)], dtype=pl.Datetime("us", "UTC")),
            "horizon_minutes": [30] * n,
            "prediction": said,
            "probability": p,
            "expected_return_bp": expected,
            "interval_low_bp": np.array(expected) - half,
            "interval_high_bp": np.array(expected) + half,
            "realised_return_bp": y,
            "hit": hit,
        },
        schema_overrides={"hit": pl.Boolean},
    )


def test_metrics_of_rows_made_by_hand() -> None:
    found = performance.judge(settled([3.0, -4.0, 0.0, 12.0], [0.0, 0.0, 0.0, 0.0], [0.6, 0.7, 0.4, 0.8]), gate(), RULES)
    assert found["settled"] == 4
    assert found["rmse_bp"] == pytest.approx(np.sqrt((9 + 16 + 144) / 4))
    assert found["mae_bp"] == pytest.approx(19 / 4)
    assert found["coverage_interval"] == 0.75
    assert found["hit_rate"] == pytest.approx(2 / 3)
    assert found["log_loss"] == pytest.approx(-(np.log(0.6) + np.log(0.3) + np.log(0.8)) / 3)
    assert found["auc"] == 0.5  # ups at 0.6 and 0.8, the down between them
    assert (found["rmse_gate_bp"], found["coverage_gate"], found["auc_gate"]) == (10.0, 0.9, 0.55)
    assert not found["degraded"]


def market(sigma: float, *, seed: int, n: int = 3000) -> pl.DataFrame:
    """Overlapping 30-minute returns of a random walk, and forecasts that know nothing."""
    rng = np.random.default_rng(seed)
    steps = rng.standard_normal(n + 30) * sigma / np.sqrt(30)
    y = np.convolve(steps, np.ones(30), "valid")[:n]
    return settled(list(y), [0.0] * n, list(np.clip(0.5 + 0.01 * rng.standard_normal(n), 0.4, 0.6)))


def test_twice_the_error_is_degraded_and_says_so() -> None:
    found = performance.judge(market(20.0, seed=0), gate(), RULES)
    assert found["degraded"]
    assert found["p_worse"] < 0.01
    assert "worse by more than 20%" in found["reason"]


def test_noise_does_not_trigger_though_the_error_is_above_the_tolerance() -> None:
    """Forty markets as volatile as the tolerance allows: half of them lie above it, by chance alone."""
    found = [performance.judge(market(12.0, seed=seed, n=600), gate(), RULES) for seed in range(40)]
    above = sum(one["rmse_bp"] > 12.0 for one in found)
    assert above >= 10
    assert sum(one["degraded"] for one in found) <= 3


def test_a_few_answers_and_an_artifact_that_is_gone_say_nothing() -> None:
    rows = market(50.0, seed=1, n=50)
    few = performance.judge(rows, gate(), PerformanceSettings(min_rows=100))
    assert (few["degraded"], few["reason"]) == (False, "50 settled forecasts, fewer than 100")
    gone = performance.judge(rows, None, RULES)
    assert (gone["degraded"], gone["rmse_gate_bp"]) == (False, None)
    assert "does not tell" in gone["reason"]
