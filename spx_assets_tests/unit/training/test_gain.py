"""Gain by input: which inputs the trees of each family asked for."""

import numpy as np
import pytest

from spx_assets.training import families
from spx_assets.training.families.base import HasGain, gain_shares
from spx_assets_tests.unit.training import planted


@pytest.mark.parametrize("family", ["lightgbm", "xgboost", "random_forest"])
def test_the_input_that_moves_the_return_gains_most_and_one_of_one_value_nothing(family: str):
    rows = planted.data(linear=2.0)
    chosen = planted.settings(threads=1, seed=7, rounds=4)
    fitted = families.get(family).fit(rows, planted.segments(rows), np.full(planted.N, 0.5), chosen)
    assert isinstance(fitted, HasGain)
    shares = fitted.gain()
    assert sum(shares.values()) == pytest.approx(1.0)
    assert max(shares, key=lambda k: shares[k]) == planted.FEATURES.index("slope")
    assert shares[planted.FEATURES.index("flat")] == shares[planted.FEATURES.index("absent")] == 0.0


def test_a_linear_model_has_no_gain():
    rows = planted.data()
    linear = families.get("linear").fit(rows, planted.segments(rows), np.full(planted.N, 0.5), planted.settings())
    assert not isinstance(linear, HasGain)


def test_heads_count_alike_and_one_without_a_tree_does_not():
    assert gain_shares(np.array([3.0, 1.0]), np.array([0.0, 10.0])) == {0: 0.375, 1: 0.625}
    assert gain_shares(np.array([3.0, 1.0]), np.zeros(2)) == {0: 0.75, 1: 0.25}
    assert gain_shares(np.zeros(2), np.zeros(2)) == {}
