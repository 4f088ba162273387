"""Metrics of the direction head: scikit-learn where it has them, literal values else."""

import numpy as np
import pytest
from sklearn import metrics as oracle

from spx_assets.training.evaluation import direction
from spx_assets_tests.unit.training.judged_rows import judged, minutes

ROWS = judged().told


@pytest.fixture(scope="module")
def found():
    return direction.metrics(ROWS.up, ROWS.probability_up, 0.55, ts=ROWS.ts, label_end=ROWS.label_end)


def test_ranking_and_probability_are_those_of_scikit_learn(found):
    up, p = ROWS.up, ROWS.probability_up
    assert found["auc"] == pytest.approx(oracle.roc_auc_score(up, p), abs=1e-12)
    assert found["log_loss"] == pytest.approx(oracle.log_loss(up, p), abs=1e-12)
    assert found["brier"] == pytest.approx(oracle.brier_score_loss(up, p), abs=1e-12)
    assert found["log_loss_base"] == pytest.approx(oracle.log_loss(up, np.full(len(up), 0.55)), abs=1e-12)
    assert found["brier_base"] == pytest.approx(oracle.brier_score_loss(up, np.full(len(up), 0.55)), abs=1e-12)


def test_hits_are_those_of_scikit_learn(found):
    up, said = ROWS.up, ROWS.probability_up > 0.5
    precision, recall, f1, _ = oracle.precision_recall_fscore_support(up, said, average="binary")
    assert (found["precision"], found["recall"], found["f1"]) == pytest.approx((precision, recall, f1), abs=1e-12)
    assert found["accuracy"] == pytest.approx(oracle.accuracy_score(up, said), abs=1e-12)
    counts = direction.confusion(up, ROWS.probability_up)
    assert [[counts.true_down, counts.false_up], [counts.false_down, counts.true_up]] == oracle.confusion_matrix(
        up, said
    ).tolist()


def test_the_roc_curve_runs_through_the_points_of_scikit_learn():
    up, p = ROWS.up, np.round(ROWS.probability_up, 2)
    curve = direction.roc(up, p, points=1_000)
    false, true, _ = oracle.roc_curve(up, p, drop_intermediate=False)
    assert np.array(curve) == pytest.approx(np.column_stack([false, true]), abs=1e-12)
    short = direction.roc(up, ROWS.probability_up, points=50)
    assert len(short) == 50
    assert short[0] == (0.0, 0.0)
    assert short[-1] == (1.0, 1.0)
    assert oracle.auc(*np.array(short).T) == pytest.approx(oracle.roc_auc_score(up, ROWS.probability_up), abs=0.002)


def test_a_head_that_never_says_up_has_a_recall_of_zero_and_no_precision():
    counts = direction.confusion(np.array([1.0, 0.0, 0.0]), np.array([0.4, 0.3, 0.5]))
    assert (counts.true_up, counts.false_up, counts.true_down, counts.false_down) == (0, 0, 2, 1)
    assert np.isnan(counts.precision)
    assert (counts.recall, counts.f1, counts.accuracy) == (0.0, 0.0, pytest.approx(2 / 3))


def test_the_base_rate_states_the_more_frequent_side():
    up = np.array([1.0, 1.0, 0.0, 1.0])
    told = direction.metrics(up, np.array([0.6, 0.7, 0.4, 0.4]), 0.55, **minutes(4))
    assert told["accuracy"] == told["accuracy_base"] == 0.75
    assert direction.metrics(up, np.array([0.6, 0.7, 0.4, 0.4]), 0.45, **minutes(4))["accuracy_base"] == 0.25


def test_the_interval_of_the_auc_holds_what_it_says():
    """60 samples of 2,000 independent rows; the AUC of this probability is 0.592. At 95 % at most 8 may miss it."""
    truth = oracle.roc_auc_score((big := judged(400_000, seed=99).told).up, big.probability_up)
    missed = 0
    for seed in range(60):
        rows = judged(2_000, seed=seed).told
        told = direction.metrics(rows.up, rows.probability_up, 0.5, ts=rows.ts, label_end=rows.label_end)
        missed += not told["auc_low"] < truth < told["auc_high"]
    assert missed <= 8


def test_one_direction_only_has_no_auc_and_no_curve():
    up, p = np.ones(5), np.linspace(0.4, 0.6, 5)
    told = direction.metrics(up, p, 0.5, **minutes(5))
    assert np.isnan([told["auc"], told["auc_low"], told["auc_high"]]).all()
    assert direction.roc(up, p, points=10) == ()
