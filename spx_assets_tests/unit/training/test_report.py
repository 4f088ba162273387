"""The report of judged rows, and its pictures."""

from io import BytesIO

import msgspec
import numpy as np
import pytest
from PIL import Image

from spx_assets.training.evaluation import metrics, plots, report
from spx_assets.training.evaluation.importance import Importance
from spx_assets_tests.unit.scoring import toy
from spx_assets_tests.unit.training.judged_rows import BASELINES, judged

ROWS = judged(4_320)
INPUTS = tuple(Importance(f"an_input_of_a_long_name_{k}", 0.01, 0.001 * (30 - k), k + 1) for k in range(30))


@pytest.fixture(scope="module")
def told():
    mask = np.arange(4_320) < 1_440
    parts = {"session": {"asia": mask, "us": ~mask, "none": np.zeros(4_320, bool)}}
    described = toy.manifest(metrics={"ece": 0.01, "ece_band": 0.02})
    return report.of(described, ROWS, BASELINES, parts, importance=INPUTS, seeds={"auc": report.Spread(0.55, 0.01)})


def test_a_slice_has_the_metrics_of_its_rows(told):
    asia = told.slices["session"]["asia"]
    first = metrics(ROWS.at(np.arange(4_320) < 1_440), BASELINES)
    assert asia["rows"] == 1_440
    assert {name: asia[name] for name in first} == pytest.approx(first)
    assert told.slices["session"]["none"] == {"rows": 0.0}


def test_baselines_stand_on_the_same_rows(told):
    whole = metrics(ROWS, BASELINES)
    assert [told.baselines[name]["rmse_bp"] for name in ("zero", "mean", "ar1")] == [
        whole["rmse_zero_bp"],
        whole["rmse_mean_bp"],
        whole["rmse_ar1_bp"],
    ]
    assert told.baselines["zero"]["r2_zero"] == 0.0
    assert told.baselines["base_rate"]["log_loss"] == whole["log_loss_base"]
    assert told.baselines["base_rate"]["auc"] == 0.5


def test_residuals_are_means_by_trading_day(told):
    days = told.residuals
    assert [(day.day.isoformat(), day.rows) for day in days] == [
        ("2025-09-15", 1_440),
        ("2025-09-16", 1_440),
        ("2025-09-17", 1_440),
    ]
    residual = (ROWS.return_bp - ROWS.expected_bp)[1_440:2_880]
    assert days[1].residual_bp == pytest.approx(residual.mean())
    assert days[1].rmse_bp == pytest.approx(np.sqrt((residual**2).mean()))


def test_the_counts_add_up(told):
    rows = int(np.sum(~np.isnan(ROWS.up)))
    assert sum(msgspec.structs.astuple(told.confusion)) == rows
    assert sum(part.rows for part in told.confidence) == sum(part.rows for part in told.calibration) == rows


def test_it_reads_back_as_it_was_written(told, tmp_path):
    (tmp_path / report.FILE).write_bytes(report.encode(told))
    assert report.read(tmp_path) == told


def test_the_pictures_are_small_and_the_same_on_every_run(told):
    drawn = plots.files(told)
    assert list(drawn) == ["roc.png", "calibration.png", "importance.png", "residuals.png"]
    assert drawn == plots.files(told)
    for content in drawn.values():
        assert len(content) < 15_000
        picture = Image.open(BytesIO(content))
        assert picture.size == (480, 360)
        assert picture.info == {}
