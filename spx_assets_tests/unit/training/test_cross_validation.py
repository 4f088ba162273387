"""Folds see what came before them and nothing of calibration or out-of-time; losses are weighted and raw."""

import numpy as np
import pytest

from spx_assets.training import cross_validation, families, learn
from spx_assets.training.cross_validation import CrossValidation, Losses
from spx_assets_tests.unit.training import planted


def test_no_fold_learns_from_or_asks_rows_after_validation():
    data = planted.data()
    segments = planted.segments(data)
    made = cross_validation.folds(data, segments, 4)
    pool = np.concatenate([segments.fit, segments.validation])
    for fold in made:
        used = np.concatenate([fold.segments.fit, fold.segments.validation, fold.asked])
        assert np.isin(used, pool).all()
        assert len(fold.segments.calibration) == len(fold.segments.out_of_time) == 0
        # A label of 1 minute lives 2, the embargo is 1.
        assert data.label_end[fold.segments.fit].max() + planted.MINUTE <= data.ts[fold.segments.validation].min()
        assert data.label_end[fold.segments.validation].max() + planted.MINUTE <= data.ts[fold.asked].min()
    assert [len(fold.asked) for fold in made] == pytest.approx([len(pool) / 5] * 4, abs=2)
    assert len(made[3].segments.validation) == pytest.approx(len(pool) * 4 / 5 / 8, abs=2)


def test_labels_after_validation_change_no_fold():
    data, settings = planted.data(), planted.settings(rounds=5)
    segments = planted.segments(data)
    family, weight = families.get("lightgbm"), learn.weights(data)
    told = cross_validation.run(family, data, segments, weight, settings, n=2)
    for rows in (segments.calibration, segments.out_of_time):
        data.return_bp[rows] = 1e6
        data.up[rows] = 1.0
        data.X[rows] = -7.0
    assert cross_validation.run(family, data, segments, weight, settings, n=2) == told


def test_mean_and_spread_are_those_of_the_folds():
    folds = (Losses(0.68, 0.5, 1.0), Losses(0.69, 0.6, 0.9), Losses(0.70, 0.55, 0.9))
    assert CrossValidation(folds).metrics() == pytest.approx(
        {"cv_log_loss_mean": 0.69, "cv_auc_mean": 0.55, "cv_log_loss_spread": 0.01, "cv_auc_spread": 0.05}
    )
    assert np.isnan(CrossValidation(folds[:1]).metrics()["cv_log_loss_spread"])


def test_losses_are_weighted_and_leave_ties_to_the_return_head():
    data = planted.data()
    rows = np.array([0, 1, 2])
    data.up[rows], data.return_bp[rows] = [1.0, 0.0, np.nan], [2.0, -1.0, 0.0]
    weight = np.zeros(len(data.ts))
    weight[rows] = [3.0, 1.0, 5.0]
    told = cross_validation.losses(data, weight, rows, np.array([1.0, 0.0, 1.0]), np.array([0.8, 0.5, 1.0]))
    assert told.log_loss == pytest.approx((3 * -np.log(0.8) + -np.log(0.5)) / 4)
    assert told.squared_error == pytest.approx((3 * 1 + 1 * 1 + 5 * 1) / (3 * 4 + 1))
    assert told.auc == 1.0
