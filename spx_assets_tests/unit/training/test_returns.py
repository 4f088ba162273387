"""Metrics of the return head: scikit-learn, statsmodels and literal values."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import t
from sklearn import metrics as oracle

from spx_assets.training import hac
from spx_assets.training.evaluation import metrics, returns
from spx_assets_tests.unit.training.judged_rows import BASELINES, judged

ROWS = judged(horizon=5)


def test_errors_are_those_of_scikit_learn_beside_each_baseline():
    found = metrics(ROWS, BASELINES)
    y, zero = ROWS.return_bp, np.zeros(len(ROWS.return_bp))
    ar1 = np.where(np.isnan(ROWS.known_bp), 0.2, 0.1 + 0.05 * np.nan_to_num(ROWS.known_bp))
    for name, forecast in (("", ROWS.expected_bp), ("zero_", zero), ("mean_", zero + 0.2), ("ar1_", ar1)):
        assert found[f"rmse_{name}bp"] == pytest.approx(oracle.root_mean_squared_error(y, forecast), abs=1e-12)
        assert found[f"mae_{name}bp"] == pytest.approx(oracle.mean_absolute_error(y, forecast), abs=1e-12)
    assert found["r2_zero"] == pytest.approx(1 - np.sum((y - ROWS.expected_bp) ** 2) / np.sum(y**2), abs=1e-12)
    assert found["coverage_interval"] == pytest.approx(0.9, abs=0.015)


def test_the_error_of_the_correlation_is_the_hac_error_of_its_influence():
    y, f, told = ROWS.return_bp, ROWS.expected_bp, {"ts": ROWS.ts, "label_end": ROWS.label_end}
    r, (low, high) = returns.correlation(y, f, **told)
    assert r == pytest.approx(np.corrcoef(y, f)[0, 1], abs=1e-12)
    zy, zf = (y - y.mean()) / y.std(), (f - f.mean()) / f.std()
    lag, freedom = hac.bandwidth(ROWS.ts, ROWS.label_end)
    fit = sm.OLS(zy * zf - r * (zy**2 + zf**2) / 2, np.ones(len(y))).fit(
        cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False}
    )
    assert (high - low) / 2 == pytest.approx(t.ppf(0.975, freedom) * fit.bse[0], rel=1e-9)


def test_a_constant_forecast_has_no_correlation():
    found = returns.of_forecast(ROWS.return_bp, np.full(len(ROWS.ts), 0.2), ts=ROWS.ts, label_end=ROWS.label_end)
    assert np.isnan([found["ic"], found["ic_low"], found["ic_high"]]).all()
