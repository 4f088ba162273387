"""A tuned version says so: parameters, trials and folds in its manifest, its row and MLflow; the run config asks for it."""

import time
from typing import Any

import dagster as dg
import mlflow
import pytest

from spx_assets.build import build_defs
from spx_assets.lake import Lake
from spx_assets.scoring import artifact
from spx_assets.settings import Settings, TuningSettings
from spx_assets.training import train
from spx_assets.training.tuning.results import TrialResult
from spx_assets_tests.integration.training.conftest import LAST, NAME

TUNING = TuningSettings(broad_trials=2, narrow_trials=1)


@pytest.fixture
def market(untaught_home: Settings) -> Settings:
    return untaught_home.model_copy(update={"tuning": TUNING})


def trained(settings: Settings, family: str = "lightgbm", **how: Any) -> train.TrainedVersion:
    return train.train(Lake.open(settings), settings, name=NAME, family=family, week=LAST, run_id="run", **how)


def test_the_best_parameters_the_trials_and_the_folds_reach_manifest_and_row(market: Settings) -> None:
    told: list[TrialResult] = []
    began = time.perf_counter()
    version = trained(market, tune=True, folds=2, on_trial=told.append)
    taken = time.perf_counter() - began
    best = min((trial for trial in told if trial.state == "complete"), key=lambda trial: trial.loss or 0.0)
    manifest = artifact.load(version.folder).manifest
    assert manifest.trials == len(told) == 3
    assert {name: manifest.parameters[name] for name in best.parameters} == best.parameters
    row = Lake.open(market).read("models.versions").row(0, named=True)
    assert row["trials"] == 3
    tuning = sum((trial.ended - trial.began).total_seconds() for trial in told)
    assert 0.0 < row["training_seconds"] < taken - tuning
    for name in ("cv_log_loss_mean", "cv_log_loss_spread", "cv_auc_mean", "cv_auc_spread"):
        assert row[name] == manifest.metrics[name] is not None
    assert 0.5 < row["cv_log_loss_mean"] < 0.8
    assert 0 < row["cv_log_loss_spread"] < 0.1
    again: list[TrialResult] = []
    assert artifact.load(trained(market, tune=True, on_trial=again.append).folder).manifest.parameters == manifest.parameters
    assert again == []


def test_without_tuning_the_settings_are_kept_and_nothing_is_cross_validated(market: Settings) -> None:
    row = trained(market).row
    assert row["trials"] == 0
    assert "cv_log_loss_mean" not in row
    assert not (market.home / "tuning").exists()


def test_the_run_config_tunes_and_each_trial_is_a_closed_child_run(market: Settings) -> None:
    defs = build_defs(market)
    config = {"ops": {f"models__{NAME}__lightgbm": {"config": {"tune": True, "folds": 2}}}}
    loggers = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        defs.resolve_implicit_global_asset_job_def().execute_in_process(
            asset_selection=[dg.AssetKey(["models", NAME, "lightgbm"])],
            partition_key=LAST.isoformat(),
            instance=instance,
            run_config={**config, **loggers},
        )
    client = mlflow.MlflowClient(market.mlflow_uri)
    runs = client.search_runs(["1"])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert sorted(run.info.run_name for run in children) == [
        f"{NAME}/lightgbm {stage}" for stage in ("broad 0", "broad 1", "narrow 0")
    ]
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all(run.info.end_time >= run.info.start_time for run in children)
    best = min((run for run in children if "loss" in run.data.metrics), key=lambda run: run.data.metrics["loss"])
    for name, value in best.data.params.items():
        assert parent.data.params[name] == value
    assert Lake.open(market).read("models.versions")["trials"].to_list() == [3]
