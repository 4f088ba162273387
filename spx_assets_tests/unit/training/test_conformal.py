"""Conformal intervals cover what they promise."""

import numpy as np

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
