"""Conformal intervals cover what they promise."""

import numpy as np
import pytest

from spx_assets.training import conformal


def test_half_width_is_the_finite_sample_quantile():
    residual = np.array([-5.0, 1.0, 2.0, -3.0, 4.0, 6.0, 7.0, -8.0, 9.0])
    # ceil(10 x 0.9) / 9 = 1: the largest of nine; at 80 % ceil(8) / 9: the eighth.
    assert conformal.half_width(residual, level=0.9, effective=9) == 9.0
    assert conformal.half_width(residual, level=0.8, effective=9) == 8.0


def test_too_few_effective_residuals_give_the_widest_interval():
    assert conformal.half_width(np.arange(100.0), level=0.95, effective=10) == 99.0


def test_coverage_on_new_rows_is_the_level():
    rng = np.random.default_rng(0)
    covered = []
    for _ in range(200):
        width = conformal.half_width(rng.standard_t(4, 500), level=0.9, effective=500)
        covered.append(np.mean(np.abs(rng.standard_t(4, 2_000)) <= width))
    assert 0.897 <= np.mean(covered) <= 0.907


def test_regimes_are_terciles_of_what_is_known_and_fewer_where_rows_are_few():
    volatility = np.concatenate([np.arange(1.0, 301.0), [np.nan] * 100])
    assert conformal.edges(volatility, effective=400) == (pytest.approx(100.67, abs=0.01), pytest.approx(200.33, abs=0.01))
    assert conformal.edges(volatility, effective=170) == (150.5,)
    assert conformal.edges(volatility, effective=100) == ()
    assert conformal.edges(np.ones(400), effective=400) == ()


def test_each_regime_has_the_width_of_its_own_residuals():
    residual = np.concatenate([np.full(100, 1.0), np.full(100, 5.0), np.full(10, 99.0)])
    regime = np.repeat([0, 1, -1], [100, 100, 10])
    assert conformal.half_widths(residual, np.ones(210), regime, regimes=2, level=0.9) == (1.0, 5.0)


def test_an_exchangeable_interval_agrees_with_the_split_conformal_quantile_by_counting():
    """Lei et al. (2018): of n + 1 exchangeable residuals the next is among the ceil((n + 1) level) smallest."""
    residual = np.abs(np.random.default_rng(1).standard_normal(199))
    assert conformal.half_width(residual, level=0.95, effective=199) == np.sort(residual)[int(np.ceil(200 * 0.95)) - 1]
