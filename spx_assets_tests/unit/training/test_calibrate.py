"""Probability calibration: monotone, as scikit-learn has it, chosen on rows it was not fitted on."""

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from spx_assets.scoring import calibration
from spx_assets.training import calibrate, splits

MINUTE = 60_000_000


def sample(n=4_000, *, slope=1.0, shift=0.0, seed=0):
    """Raw probabilities, directions that follow slope * logit + shift, and weights."""
    rng = np.random.default_rng(seed)
    p = 1 / (1 + np.exp(-rng.standard_normal(n)))
    true = 1 / (1 + np.exp(-(slope * calibration.logit(p) + shift)))
    return p, (rng.random(n) < true).astype(float), rng.uniform(0.5, 1.5, n)


def times(n):
    ts = np.arange(n, dtype=np.int64) * MINUTE
    return {"ts": ts, "label_end": ts + 2 * MINUTE, "embargo_us": MINUTE}


def test_platt_is_the_logistic_regression_of_scikit_learn():
    p, up, weight = sample(slope=0.4, shift=0.3)
    fitted = calibrate.platt(p, up, weight)
    oracle = LogisticRegression(C=np.inf, tol=1e-10).fit(calibration.logit(p)[:, None], up, sample_weight=weight)
    assert (fitted.a, fitted.b) == pytest.approx((oracle.coef_[0, 0], oracle.intercept_[0]), abs=1e-4)


def test_platt_never_turns_the_forecast_round():
    p, up, weight = sample(slope=-1.0)
    fitted = calibrate.platt(p, up, weight)
    assert fitted.a == 0.0
    assert calibration.apply(fitted, p) == pytest.approx(np.full(len(p), np.average(up, weights=weight)), abs=1e-4)


def test_isotonic_is_that_of_scikit_learn_between_its_ends():
    p, up, weight = sample(slope=0.4)
    oracle = IsotonicRegression(out_of_bounds="clip").fit(p, up, sample_weight=weight).predict(p)
    least = 1 / (weight.sum() + 2)
    assert calibration.apply(calibrate.isotonic(p, up, weight), p) == pytest.approx(np.clip(oracle, least, 1 - least))


@pytest.mark.parametrize("method", calibrate.METHODS)
def test_every_calibration_is_monotone_and_inside_0_and_1(method):
    p, up, weight = sample(300, seed=3)
    out = calibration.apply(method(p, up, weight), np.linspace(0, 1, 1_001))
    assert np.all(np.diff(out) >= 0)
    assert 0 < out[0] <= out[-1] < 1


def test_a_calibrated_probability_is_left_alone_and_an_overconfident_one_is_not():
    plain = calibrate.fit(*sample(seed=2), **times(4_000))
    assert plain.calibration.kind == "identity"
    p, up, weight = sample(slope=0.3, seed=1)
    mended = calibrate.fit(p, up, weight, **times(4_000))
    assert mended.calibration.kind == "platt"
    assert mended.calibration.a == pytest.approx(0.3, abs=0.05)
    assert mended.log_loss < np.average(calibrate.skill.log_losses(up, p), weights=weight)


def test_a_method_that_gains_by_chance_is_not_taken(monkeypatch: pytest.MonkeyPatch):
    """Raw probabilities that are true and near one half: by the least loss alone 4 of these 10 draws took another method."""
    monkeypatch.setattr(calibrate, "POINTS", 8)
    kinds = []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        p = 1 / (1 + np.exp(-0.25 * rng.standard_normal(150)))
        up = (rng.random(150) < p).astype(float)
        kinds.append(calibrate.fit(p, up, np.ones(150), **times(150)).calibration.kind)
    assert kinds == ["identity"] * 10


def test_the_ranking_loss_is_that_of_rows_the_calibration_has_not_seen():
    p, _, weight = sample(400, seed=4)
    noise = (np.random.default_rng(5).random(400) < 0.5).astype(float)
    fitted = calibrate.fit(p, noise, weight, **times(400))
    inside = calibrate.skill.log_losses(noise, calibration.apply(fitted.calibration, p))
    assert fitted.log_loss > np.average(inside, weights=weight)


def test_the_loss_beside_it_is_that_of_the_base_rate_of_the_other_blocks():
    p, up, weight = sample(400, shift=0.5, seed=6)
    fitted = calibrate.fit(p, up, weight, **times(400))
    expected = 0.0
    for known, asked in splits.blocks(times(400)["ts"], times(400)["label_end"], n=calibrate.FOLDS, embargo_us=MINUTE):
        base = np.average(up[known], weights=weight[known])
        expected += weight[asked] @ calibrate.skill.log_losses(up[asked], np.full(len(asked), base))
    assert fitted.log_loss_base == pytest.approx(expected / weight.sum(), rel=1e-12)
    one_sided = calibrate.fit(p, np.ones(400), weight, **times(400))
    assert one_sided.log_loss_base == pytest.approx(np.log(2))


def test_a_probability_that_was_fitted_on_the_rows_is_asked_of_what_the_others_would_have_made():
    n = 400
    up = (np.random.default_rng(7).random(n) < 0.5).astype(float)
    cheat = np.where(up > 0.5, 0.9, 0.1)

    def remade(known):
        p = np.full(n, 0.5)
        p[known] = cheat[known]
        return p

    assert calibrate.fit(cheat, up, np.ones(n), **times(n)).log_loss < 0.2
    assert calibrate.fit(cheat, up, np.ones(n), **times(n), remade=remade).log_loss == pytest.approx(np.log(2), abs=0.02)
