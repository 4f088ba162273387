"""The card of the model: metrics beside baselines, and the report its training wrote."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from serving.dashboard import card
from serving.model_store import ServedModel
from spx_assets.settings import Settings
from spx_assets.training.evaluation import report
from spx_assets.training.evaluation.direction import Confusion
from spx_assets.training.evaluation.importance import Importance
from spx_assets.training.evaluation.reliability import Bin
from spx_assets.training.evaluation.report import Day, Report
from spx_assets_tests.browser.site import model
from spx_assets_tests.unit.serving import homes

AT = datetime(2025, 10, 15, tzinfo=UTC)


@pytest.fixture
def served(settings: Settings) -> ServedModel:
    model(settings)
    return homes.service(settings).models.named("spx500_h30")


def folder(settings: Settings, served: ServedModel) -> Path:
    return settings.artifacts / "models" / served.manifest.name / served.manifest.version


def test_a_metric_stands_beside_its_baseline_and_is_better_in_its_own_direction(settings: Settings, served: ServedModel) -> None:
    shown = {(metric.name, metric.baseline_name): metric for metric in card.of(settings, served).metrics}
    area, loss = shown["Area under the ROC curve", "coin toss"], shown["Log loss", "base rate"]
    rmse = shown["RMSE of the return", "zero"]
    assert (area.value, area.baseline, area.better) == (0.6123, 0.5, True)
    assert (loss.value, loss.baseline, loss.better) == (0.6711, 0.6925, True)
    assert (rmse.value, rmse.baseline, rmse.unit, rmse.better) == (14.97, 15.22, "bp", True)


def test_the_card_tells_the_training_and_the_verdict(settings: Settings, served: ServedModel) -> None:
    found = card.of(settings, served)
    assert found.verdict is not None
    assert (found.verdict.verdict, found.verdict.direction_ok) == ("promoted", True)
    assert found.rows == {"fit": 1000}
    assert found.evaluation is not None
    assert found.evaluation.confusion.true_up == 4652
    assert len(found.evaluation.importance) == 20


def test_a_report_that_was_altered_is_not_shown(settings: Settings, served: ServedModel) -> None:
    path = folder(settings, served) / "report.json"
    path.write_bytes(path.read_bytes().replace(b"4652", b"9652"))
    found = card.of(settings, served)
    assert found.evaluation is None
    assert found.lacking is not None
    assert found.lacking.startswith("report.json of 20251015T160000Z-0001 was altered since it was written; restore it or train")


def test_a_version_without_a_report_says_what_to_do(settings: Settings) -> None:
    homes.model(settings)
    found = card.of(settings, homes.service(settings).models.named("spx500_h30"))
    assert found.evaluation is None
    assert found.lacking is not None
    assert "train spx500_h30 again with `spx train`" in found.lacking


def test_the_report_that_training_writes_is_the_one_that_is_read(settings: Settings, served: ServedModel) -> None:
    written = report.encode(
        Report(
            name="spx500_h30",
            version="v",
            family="lightgbm",
            start=AT,
            end=AT,
            rows=7,
            baselines={"zero": {"rmse_bp": 1.0}},
            confusion=Confusion(true_up=1, false_up=2, true_down=3, false_down=4),
            confidence=(),
            calibration=(Bin(rows=9, probability=0.4, share=0.5, low=None, high=0.6),),
            ece=None,
            ece_band=0.1,
            roc=((0.0, 0.0), (1.0, 1.0)),
            slices={},
            residuals=(Day(date(2025, 10, 15), 1, 0.0, 1.0, 1.0),),
            importance=(Importance("rsi_14", None, 0.01, 1),),
        )
    )
    found = card.decode(written)
    assert (found.rows, found.confusion.false_down, found.roc) == (7, 4, [(0.0, 0.0), (1.0, 1.0)])
    assert (found.calibration[0].rows, found.calibration[0].high) == (9, 0.6)
    assert (found.importance[0].feature, found.importance[0].gain) == ("rsi_14", None)
