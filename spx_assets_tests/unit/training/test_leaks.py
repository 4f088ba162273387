"""A label among the inputs is seen before a model is fitted."""

from dataclasses import replace

import numpy as np
import pytest

from spx_assets.training import leaks
from spx_assets.training.errors import LeakError
from spx_assets_tests.integration.training.test_lightgbm import data


def planted(values) -> object:
    rows = data()
    X = rows.X.copy()
    X[:, 4] = values
    return replace(rows, X=X)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_label_among_the_inputs_is_named(sign):
    with pytest.raises(LeakError, match=r"^e alone tells the direction of the next 1 minutes with an AUC of 1\.000"):
        leaks.check(planted(sign * data().return_bp), np.arange(24_000))


def test_a_label_with_noise_half_nulls_is_named_too():
    rng = np.random.default_rng(1)
    noisy = data().return_bp + rng.standard_normal(24_000)
    noisy[rng.random(24_000) < 0.5] = np.nan
    with pytest.raises(LeakError, match=r"^e alone"):
        leaks.check(planted(noisy), np.arange(24_000))


def test_honest_inputs_pass_and_so_do_inputs_that_are_null():
    leaks.check(data(), np.arange(24_000))
    leaks.check(planted(np.nan), np.arange(24_000))


def test_rows_outside_the_fit_segment_are_not_looked_at():
    later = np.where(np.arange(24_000) > 12_000, data().return_bp, 0.0)
    leaks.check(planted(later), np.arange(12_000))
    with pytest.raises(LeakError, match=r"^e alone"):
        leaks.check(planted(later), np.arange(12_001, 24_000))
