"""What a version keeps of its out-of-time rows: columns, report, plots, importance."""

import polars as pl
import pytest

from spx_assets.lake import Lake
from spx_assets.lake.tables import FEATURE_IMPORTANCE, VERSIONS
from spx_assets.scoring import artifact
from spx_assets.scoring.artifact import Artifact
from spx_assets.settings import Settings
from spx_assets.training import dataset, seeds, train
from spx_assets.training.evaluation import report
from spx_assets.training.evaluation.report import Report
from spx_assets_tests.integration.training.conftest import LAST, NAME, settings_of

UNFOLDED = "it was not trained with folds"
NULL = {
    "parent_version": "no champion was served when it was trained",
    "cv_log_loss_mean": UNFOLDED,
    "cv_log_loss_spread": UNFOLDED,
    "cv_auc_mean": UNFOLDED,
    "cv_auc_spread": UNFOLDED,
}
"""Columns that a trained version of this market leaves null, and why."""


@pytest.fixture(scope="module")
def home_with_models(taught) -> Settings:
    return settings_of(taught[0])


@pytest.fixture(scope="module")
def made(taught, home_with_models: Settings) -> Artifact:
    return artifact.load(artifact.folder(home_with_models.artifacts, NAME, taught[2]))


@pytest.fixture(scope="module")
def told(made: Artifact) -> Report:
    return report.read(made.folder)


def test_every_column_of_a_version_is_filled_or_null_for_a_reason(home_with_models: Settings, made: Artifact):
    rows = Lake.open(home_with_models).read(VERSIONS.name)
    row = rows.row(by_predicate=pl.col("version") == made.manifest.version, named=True)
    assert {name for name, value in row.items() if value is None} == set(NULL)
    assert set(made.manifest.metrics) <= set(VERSIONS.schema())


def test_the_report_and_the_plots_are_files_the_manifest_vouches_for(made: Artifact):
    drawn = {f"{name}.png" for name in ("roc", "calibration", "importance", "residuals")}
    assert set(made.manifest.files) == {"model.onnx", "report.json", "reference.msgpack", *drawn}


def test_the_report_tells_the_same_rows_as_the_columns(made: Artifact, told: Report):
    metrics = made.manifest.metrics
    assert (told.version, told.ece, told.ece_band) == (made.manifest.version, metrics["ece"], metrics["ece_band"])
    assert told.baselines["ar1"]["rmse_bp"] == metrics["rmse_ar1_bp"]
    assert told.baselines["base_rate"]["log_loss"] == metrics["log_loss_base"]
    parts = {kind: sum(part["rows"] for part in found.values()) for kind, found in told.slices.items()}
    assert parts["month"] == parts["volatility"] == told.rows
    assert 0.9 * told.rows < parts["session"] < told.rows
    assert all(part["log_loss_base"] > 0 for found in told.slices.values() for part in found.values())


def test_importance_of_every_input_is_written_with_the_version(home_with_models: Settings, made: Artifact, told: Report):
    lake = Lake.open(home_with_models)
    rows = lake.read(FEATURE_IMPORTANCE.name).filter(pl.col("version") == made.manifest.version).sort("rank")
    assert set(rows["feature"]) == set(made.manifest.features)
    assert rows["rank"].to_list() == list(range(1, len(rows) + 1))
    assert rows["gain"].sum() == pytest.approx(1.0)
    assert rows["permutation"].is_sorted(descending=True)
    assert rows["feature"].to_list() == [one.feature for one in told.importance]


def test_the_spread_over_seeds_has_the_settings_own_among_them(home_with_models: Settings):
    lake = Lake.open(home_with_models)
    data = dataset.load(lake, home_with_models, name=NAME, week=LAST)
    spread = seeds.spread(data, home_with_models, "lightgbm", name=NAME, week=LAST, run_id="test", seeds=2)
    assert 0.6 < spread["auc"].mean < 0.9
    assert 0.0 < spread["auc"].deviation < 0.1
    assert spread["log_loss_base"].deviation == spread["effective_obs"].deviation == 0.0
    assert seeds.spread(data, home_with_models, "linear", name=NAME, week=LAST, run_id="test") == {}


def test_repeats_put_the_spread_into_the_report(untaught_home: Settings):
    lake = Lake.open(untaught_home)
    done = train.train(lake, untaught_home, name=NAME, family="lightgbm", week=LAST, run_id="run", repeats=2)
    assert report.read(done.folder).seeds["rmse_bp"].deviation > 0
