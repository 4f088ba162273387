"""Calibration error, its band and hits by confidence: scikit-learn and simulation."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.calibration import calibration_curve

from spx_assets.training.evaluation import reliability
from spx_assets_tests.unit.training.judged_rows import MINUTE, judged, minutes

ROWS = judged().told


def test_bins_are_those_of_scikit_learn():
    up, p = ROWS.up[:3_900], ROWS.probability_up[:3_900]
    share, mean = calibration_curve(up, p, n_bins=10, strategy="quantile")
    told = reliability.curve(up, p, **minutes(3_900))
    assert [part.share for part in told] == pytest.approx(share.tolist(), abs=1e-12)
    assert [part.probability for part in told] == pytest.approx(mean.tolist(), abs=1e-12)
    assert reliability.error(up, p) == pytest.approx(np.abs(share - mean).mean(), abs=1e-12)


def test_the_error_is_the_mean_gap_weighted_by_rows():
    up, p = np.array([0.0, 0.0, 1.0, 1.0, 1.0]), np.array([0.1, 0.1, 0.1, 0.8, 0.8])
    assert reliability.error(up, p, bins=2) == pytest.approx((3 * abs(1 / 3 - 0.1) + 2 * 0.2) / 5)


def test_equal_probabilities_share_a_bin():
    """Cut into ten by time, a constant would be blamed for the luck of each tenth."""
    up = np.repeat([1.0, 0.0], 500)
    assert reliability.error(up, np.full(1_000, 0.5)) == 0.0
    assert [part.rows for part in reliability.curve(up, np.repeat([0.3, 0.6], 500), **minutes(1_000))] == [500, 500]
    single = np.float32(0.53) + np.tile(np.arange(4, dtype=np.float32) * np.float32(6e-8), 250)
    assert len(np.unique(single)) > 1
    assert reliability.error(up, single.astype(np.float64)) == pytest.approx(0.03, abs=1e-6)


def test_an_interval_is_unknown_where_no_two_rows_differ():
    part = reliability.curve(np.ones(4), np.full(4, 0.7), **minutes(4))[0]
    assert (part.share, part.low, part.high) == (1.0, None, None)


def overlapping(p, rng, horizon):
    """Outcomes of one-minute rows whose labels share minutes of a random walk, each up with probability p (by its rank)."""
    steps = rng.standard_normal(len(p) + horizon)
    walk = np.concatenate([[0.0], np.cumsum(steps)])
    z = (walk[horizon + 1 :] - walk[: len(p)]) / np.sqrt(horizon + 1)
    return (norm.cdf(z) < p).astype(float)


@pytest.mark.parametrize("horizon", [1, 30])
def test_a_calibrated_model_stays_within_the_band_as_often_as_it_says(horizon):
    """200 samples; at 95 % the share inside has a standard error of 1.5 points, 3 of which are allowed."""
    rng, n = np.random.default_rng(1), 3_000
    p = np.clip(0.5 + 0.05 * rng.standard_normal(n), 0.3, 0.7)
    band = reliability.band(p, **minutes(n, horizon))
    inside = np.mean([reliability.error(overlapping(p, rng, horizon), p) <= band for _ in range(200)])
    assert 0.90 <= inside <= 0.99


def test_overlap_widens_the_band_most_where_forecasts_are_smooth():
    """Directions of labels that share u of their life agree by arcsin(u): 31 minutes multiply a bin's variance by 22."""
    minute = np.arange(6_000)
    smooth, rough = 0.5 + 0.1 * minute / 6_000, 0.5 + 0.1 * np.random.default_rng(2).permutation(minute) / 6_000
    assert 0.8 * 22.5**0.5 < widened(smooth) < 1.2 * 22.5**0.5
    assert 1.5 < widened(rough) < 0.8 * widened(smooth)


def widened(p):
    apart = reliability.band(p, ts=minutes(6_000)["ts"], label_end=minutes(6_000)["ts"] + MINUTE)
    together = reliability.band(p, **minutes(6_000, 30))
    return together / apart


def test_the_band_is_the_same_on_every_run_and_finds_a_model_that_exaggerates():
    told = {"ts": ROWS.ts, "label_end": ROWS.label_end}
    band = reliability.band(ROWS.probability_up, **told)
    assert band == reliability.band(ROWS.probability_up, **told)
    assert reliability.error(ROWS.up, ROWS.probability_up) < band
    bold = np.clip(0.5 + 3 * (ROWS.probability_up - 0.5), 0.01, 0.99)
    assert reliability.error(ROWS.up, bold) > reliability.band(bold, **told)


def test_rows_fall_in_the_bucket_of_their_confidence():
    up, p = np.array([1.0, 0.0, 0.0, 1.0, 1.0]), np.array([0.505, 0.495, 0.62, 0.30, 1.0 - 1e-9])
    told = reliability.by_confidence(up, p, **minutes(5))
    assert [(part.low, part.high, part.rows, part.accuracy) for part in told] == [
        (0.5, 0.51, 2, 1.0),
        (0.6, 0.65, 1, 0.0),
        (0.7, 1.0, 2, 0.5),
    ]
    every = reliability.by_confidence(ROWS.up, ROWS.probability_up, ts=ROWS.ts, label_end=ROWS.label_end)
    assert sum(part.rows for part in every) == len(ROWS.up)
