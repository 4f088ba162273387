"""Baselines with literal values."""

import numpy as np
import pytest

from spx_assets.training import baselines

MINUTE = 60_000_000
NAN = float("nan")


def test_the_last_known_return_is_that_of_the_bar_one_horizon_earlier_of_the_same_instrument():
    instrument = np.array([0, 0, 0, 0, 1, 1, 1], dtype=np.int32)
    ts = np.array([0, 1, 2, 4, 0, 1, 2], dtype=np.int64) * MINUTE
    return_bp = np.array([1.0, 2.0, NAN, 4.0, 5.0, 6.0, 7.0])
    known = baselines.last_known(instrument, ts, return_bp, horizon_minutes=2)
    # Row 3 asks for minute 2, whose label is null; rows 0, 1, 4, 5 have no bar that early.
    assert known == pytest.approx([NAN, NAN, 1.0, NAN, NAN, NAN, 5.0], nan_ok=True)


def test_the_last_known_label_has_ended_when_the_bar_ends():
    ts = np.arange(100, dtype=np.int64) * MINUTE
    label_end = (ts + 31 * MINUTE).astype(float)
    known = baselines.last_known(np.zeros(100, np.int32), ts, label_end, horizon_minutes=30)
    assert np.nanmax(known - (ts + MINUTE)) == 0.0


def test_mean_ar1_and_base_rate_are_fitted_on_the_fit_rows_alone():
    known = np.array([NAN, 1.0, 2.0, 3.0, 100.0])
    y = np.array([0.0, 2.0, 2.5, 3.0, -1000.0])
    up = np.array([NAN, 1.0, 1.0, 0.0, 0.0])
    fitted = baselines.fit(y, up, known, np.arange(4))
    assert (fitted.mean_bp, fitted.ar1_slope, fitted.ar1_intercept_bp) == pytest.approx((1.875, 0.5, 1.5))
    assert fitted.base_rate == pytest.approx(2 / 3)
    assert fitted.ar1(np.array([4.0, NAN])) == pytest.approx([3.5, 1.875])
