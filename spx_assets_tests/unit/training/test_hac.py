"""Standard errors of overlapping series: against statsmodels, and against what is true in simulation."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import signal
from statsmodels.stats.sandwich_covariance import S_hac_simple

from spx_assets.training import hac, skill

MINUTE = 60_000_000


def minutes(n, horizon=30):
    ts = np.arange(n, dtype=np.int64) * MINUTE
    return {"ts": ts, "label_end": ts + (horizon + 1) * MINUTE}


@pytest.mark.parametrize("lag", [1, 29, 400])
def test_long_run_variance_is_that_of_statsmodels(lag):
    x = signal.lfilter(np.ones(30), [1.0], np.random.default_rng(1).standard_normal(3_000))
    expected = S_hac_simple((x - x.mean())[:, None], nlags=lag)[0, 0] / len(x)
    assert hac.long_run_variance(x, lag=lag) == pytest.approx(expected, rel=1e-10)


def test_mean_and_error_are_those_of_a_regression_on_a_constant():
    x = signal.lfilter(np.ones(30), [1.0], np.random.default_rng(2).standard_normal(4_000)) + 0.3
    found = hac.average(x, **minutes(4_000))
    lag, freedom = hac.bandwidth(*minutes(4_000).values())
    fit = sm.OLS(x, np.ones(4_000)).fit(cov_type="HAC", cov_kwds={"maxlags": lag, "use_correction": False})
    assert (found.value, found.error) == pytest.approx((fit.params[0], fit.bse[0]), rel=1e-9)
    assert found.freedom == freedom == pytest.approx(1.5 * 4_000 / lag)


def test_bandwidth_is_1_3_roots_of_the_effective_observations_in_label_lives():
    # 31,000 rows with lives of 31 minutes: about 1,001.9 effective observations, 1.3 x 31.65 x 30.94 = 1,274 rows.
    lag, freedom = hac.bandwidth(*minutes(31_000).values())
    assert lag == pytest.approx(1274, abs=3)
    assert freedom == pytest.approx(36.5, abs=0.2)


def test_lag_is_never_below_the_horizon_less_one():
    assert hac.bandwidth(*minutes(70, horizon=60).values())[0] >= 59


def test_an_instrument_beside_its_copy_adds_no_evidence():
    x = np.random.default_rng(3).standard_normal(2_000) + 0.1
    alone, times = hac.average(x, **minutes(2_000)), minutes(2_000)
    doubled = hac.average(np.tile(x, 2), ts=np.tile(times["ts"], 2), label_end=np.tile(times["label_end"], 2))
    assert (doubled.value, doubled.error, doubled.freedom) == pytest.approx((alone.value, alone.error, alone.freedom))


def test_nothing_gained_everywhere_is_no_evidence():
    assert hac.average(np.zeros(500), **minutes(500)).p_greater == 1.0


@pytest.mark.parametrize("half_life", [30, 240])
def test_a_forecast_that_knows_nothing_is_called_skilled_one_time_in_twenty(half_life):
    """200 draws of 8,000 rows: 5 % of them is 10, with a standard deviation of 3.1; the textbook rule has about 17."""
    rng = np.random.default_rng(half_life)
    n, times, phi, called = 8_000, minutes(8_000), 0.5 ** (1 / half_life), 0
    for _ in range(200):
        steps = np.repeat(np.exp(0.35 * rng.standard_normal(8)), 1_004)[: n + 30] * rng.standard_t(5, n + 30)
        total = np.cumsum(steps)
        forecast = signal.lfilter([1.0], [1.0, -phi], rng.standard_normal(n + 2_000))[2_000:]
        called += skill.clark_west(total[30:] - total[:-30], forecast, **times).p_greater < 0.05
    assert 3 <= called <= 18
