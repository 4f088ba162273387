"""Permutation importance on a graph whose weights are known."""

import numpy as np
import pytest

from spx_assets.scoring.forecaster import Forecaster
from spx_assets.training.dataset import Dataset
from spx_assets.training.evaluation import importance
from spx_assets_tests.unit.scoring import toy
from spx_assets_tests.unit.training.judged_rows import minutes

N = 5 * 1_440
NAMES = ("told", "ignored", "noise", "minute_of_day")
WEIGHTS = (1.0, 0.0, 0.3, 0.5)


@pytest.fixture(scope="module")
def data():
    """Five days; the first input tells the direction, the last too, by the time of day."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((N, 4)).astype(np.float32)
    X[:, 3] = np.sin(2 * np.pi * np.arange(N) / 1_440)
    up = (X[:, 0] + 0.5 * X[:, 3] + rng.logistic(size=N) > 0).astype(float)
    return Dataset(
        features=NAMES,
        instruments=("SPX500_USD",),
        horizon_minutes=1,
        X=X,
        instrument=np.zeros(N, np.int32),
        **minutes(N),
        return_bp=up,
        up=up,
        snapshot=0,
        hash="",
        tolerance_min=5,
    )


@pytest.fixture(scope="module")
def ready():
    return Forecaster(toy.manifest(NAMES), toy.graph(WEIGHTS))


def test_inputs_rank_by_what_the_log_loss_rises_without_them(ready, data):
    found = importance.of(ready, data, np.arange(N), gain=None)
    assert [one.feature for one in found][:2] == ["told", "minute_of_day"]
    assert [one.rank for one in found] == [1, 2, 3, 4]
    told, ignored, noise, minute = ({one.feature: one.permutation for one in found}[name] for name in NAMES)
    assert told > 4 * minute > 0.05
    assert ignored == 0.0
    assert abs(noise) < 0.02
    assert {one.gain for one in found} == {None}


def test_inputs_no_tree_asks_for_are_not_tried_and_equals_go_by_gain(ready, data):
    found = {one.feature: one for one in importance.of(ready, data, np.arange(N), gain={0: 0.6, 2: 0.4})}
    assert found["minute_of_day"].permutation == 0.0
    assert (found["minute_of_day"].gain, found["told"].gain, found["noise"].gain) == (0.0, 0.6, 0.4)


def test_the_same_rows_give_the_same_numbers(ready, data):
    assert importance.of(ready, data, np.arange(N), gain=None) == importance.of(ready, data, np.arange(N), gain=None)


def test_days_are_moved_whole_and_turned():
    """Of 7,200 rows all but the seams of the five days and of the turn keep the neighbour they had."""
    order = importance.moved_days(minutes(N)["ts"], seed=3)
    assert sorted(order.tolist()) == list(range(N))
    assert np.sum(np.diff(order) != 1) <= 6
    assert np.mean(order % 1_440 == np.arange(N) % 1_440) < 0.01


def test_one_row_is_its_own_permutation():
    assert importance.moved_days(minutes(1)["ts"], seed=0).tolist() == [0]
