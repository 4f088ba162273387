"""Clark-West and Diebold-Mariano: literal values and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm

from spx_assets.training import hac, skill

MINUTE = 60_000_000


def minutes(n, horizon=30):
    ts = np.arange(n, dtype=np.int64) * MINUTE
    return {"ts": ts, "label_end": ts + (horizon + 1) * MINUTE}


def test_clark_west_is_the_loss_difference_with_the_cost_of_estimation_added_back():
    y, f = np.array([1.0, -2.0, 3.0]), np.array([0.5, -0.5, -1.0])
    adjusted = y**2 - ((y - f) ** 2 - f**2)
    assert skill.clark_west(y, f, **minutes(3)).value == pytest.approx(adjusted.mean()) == pytest.approx(-1.0)


def test_clark_west_in_log_loss_adds_back_the_divergence_from_the_base_rate():
    up, p, base = np.array([1.0, 0.0, 1.0]), np.array([0.6, 0.45, 0.4]), 0.5
    gained = skill.log_losses(up, np.full(3, base)) - skill.log_losses(up, p)
    divergence = base * np.log(base / p) + (1 - base) * np.log((1 - base) / (1 - p))
    found = skill.clark_west_log_loss(up, p, base, **minutes(3)).value
    assert found == pytest.approx((gained + divergence).mean()) == pytest.approx(0.033445, abs=1e-6)


def test_log_losses_are_literal():
    assert skill.log_losses(np.array([1.0, 0.0]), np.array([0.8, 0.8])) == pytest.approx([0.2231436, 1.6094379])


def test_diebold_mariano_is_a_regression_on_a_constant_with_harveys_correction():
    rng = np.random.default_rng(5)
    loss, rival = rng.random(600), rng.random(600) + 0.02
    times = minutes(600, horizon=5)
    lag, _ = hac.bandwidth(times["ts"], times["label_end"])
    fit = sm.OLS(rival - loss, np.ones(600)).fit(cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False})
    found = skill.diebold_mariano(loss, rival, **times)
    # Harvey, Leybourne and Newbold with n = 600 and h = 5: sqrt((601 - 10 + 20/600) / 600).
    assert found.value / found.error == pytest.approx(fit.tvalues[0] * 0.9925003, rel=1e-6)


def test_the_better_of_two_forecasts_is_told_from_the_worse():
    rng = np.random.default_rng(6)
    up = (rng.random(3_000) < 0.6).astype(float)
    good, bad = skill.log_losses(up, np.full(3_000, 0.6)), skill.log_losses(up, np.full(3_000, 0.4))
    assert skill.diebold_mariano(good, bad, **minutes(3_000, 1)).p_greater < 1e-6
    assert skill.diebold_mariano(bad, good, **minutes(3_000, 1)).p_greater > 1 - 1e-6
    assert skill.diebold_mariano(good, good, **minutes(3_000, 1)).p_greater == 1.0
