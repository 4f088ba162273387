"""One MLflow run for each asset and partition: its own, and closed whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import mlflow
import pytest
from mlflow.exceptions import MlflowException

from spx_assets.assets.mlflow_runs import MlflowRuns
from spx_assets.settings import Settings
from spx_assets.training.cross_validation import Losses
from spx_assets.training.tuning.results import TrialResult
from spx_assets_tests import mlflow_stores
from spx_assets_tests.mlflow_stores import mlflow_database

__all__ = ["mlflow_database"]
WEEKS = dg.WeeklyPartitionsDefinition(start_date="2025-01-05")


@pytest.fixture(autouse=True)
def _store(settings: Settings, mlflow_database: Path) -> None:
    mlflow_stores.place(mlflow_database, settings.home)


@contextmanager
def used(settings: Settings, context: dg.AssetExecutionContext) -> Iterator[Any]:
    with MlflowRuns(settings).run(context) as log:
        yield log


def graph(settings: Settings) -> dg.Definitions:
    @dg.asset(key=["models", "one", "lightgbm"], partitions_def=WEEKS)
    def one(context: dg.AssetExecutionContext) -> None:
        with used(settings, context) as log:
            mlflow.log_metric("auc", 0.5)
            run = mlflow.active_run()
            assert run is not None
            assert log.url == f"http://127.0.0.1:5001/#/experiments/1/runs/{run.info.run_id}"

    @dg.asset(key=["models", "two", "lightgbm"], partitions_def=WEEKS)
    def two(context: dg.AssetExecutionContext) -> None:
        with used(settings, context):
            mlflow.log_metric("auc", 0.6)

    @dg.asset(key=["models", "broken", "lightgbm"], partitions_def=WEEKS)
    def broken(context: dg.AssetExecutionContext) -> None:
        with used(settings, context):
            raise ValueError("no rows")

    @dg.asset(key=["models", "stopped", "lightgbm"], partitions_def=WEEKS)
    def stopped(context: dg.AssetExecutionContext) -> None:
        with used(settings, context):
            raise KeyboardInterrupt

    return dg.Definitions(assets=[one, two, broken, stopped], executor=dg.in_process_executor)


def execute(settings: Settings, name: str, instance: dg.DagsterInstance) -> None:
    graph(settings).resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[dg.AssetKey(["models", name, "lightgbm"])],
        partition_key="2025-01-05",
        instance=instance,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )


def test_each_asset_has_its_own_run_and_none_stays_open(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        execute(settings, "one", instance)
        execute(settings, "two", instance)
        with pytest.raises(ValueError, match="no rows"):
            execute(settings, "broken", instance)
        with pytest.raises((KeyboardInterrupt, dg.DagsterExecutionInterruptedError)):
            execute(settings, "stopped", instance)
    assert mlflow.active_run() is None
    runs = mlflow.MlflowClient(settings.mlflow_uri).search_runs(["1"])
    found = {run.info.run_name: (run.info.status, run.data.metrics.get("auc")) for run in runs}
    assert found == {
        "models/one/lightgbm 2025-01-05": ("FINISHED", 0.5),
        "models/two/lightgbm 2025-01-05": ("FINISHED", 0.6),
        "models/broken/lightgbm 2025-01-05": ("FAILED", None),
        "models/stopped/lightgbm 2025-01-05": ("KILLED", None),
    }
    assert {run.data.tags["partition"] for run in runs} == {"2025-01-05"}


def test_both_assets_of_one_dagster_run_log_to_runs_of_their_own(settings: Settings) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        result = (
            graph(settings)
            .resolve_implicit_global_asset_job_def()
            .execute_in_process(
                asset_selection=[dg.AssetKey(["models", name, "lightgbm"]) for name in ("one", "two")],
                partition_key="2025-01-05",
                instance=instance,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        )
    runs = mlflow.MlflowClient(settings.mlflow_uri).search_runs(["1"])
    assert sorted((run.info.run_name, run.data.metrics["auc"], run.info.status) for run in runs) == [
        ("models/one/lightgbm 2025-01-05", 0.5, "FINISHED"),
        ("models/two/lightgbm 2025-01-05", 0.6, "FINISHED"),
    ]
    assert {run.data.tags["dagster_run_id"] for run in runs} == {result.run_id}


def test_artifacts_lie_in_the_home_and_nothing_in_the_working_directory(settings: Settings, tmp_path: Path) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        execute(settings, "one", instance)
    experiment = mlflow.MlflowClient(settings.mlflow_uri).get_experiment_by_name(settings.mlflow.experiment)
    assert experiment is not None
    assert experiment.artifact_location == (settings.home / "mlflow" / "artifacts").as_uri()
    assert not (tmp_path / "mlruns").exists()


def trial(state: str, **changes: Any) -> TrialResult:
    at = datetime(2025, 10, 15, 16, tzinfo=UTC)
    values: dict[str, Any] = {
        "model": "one/lightgbm",
        "stage": "broad",
        "number": 3,
        "finished": 4,
        "wanted": 20,
        "state": state,
        "parameters": {"learning_rate": 0.1, "num_leaves": 8},
        "loss": 0.69 if state == "complete" else None,
        "losses": (Losses(0.68, 0.5, 1.0), Losses(0.70, 0.6, 1.0)) if state == "complete" else (),
        "began": at,
        "ended": at + timedelta(seconds=5),
    }
    return TrialResult(**(values | changes))


def test_a_trial_is_a_child_run_that_is_closed_whatever_became_of_it(settings: Settings) -> None:
    @dg.asset(key=["models", "one", "lightgbm"], partitions_def=WEEKS)
    def one(context: dg.AssetExecutionContext) -> None:
        with used(settings, context) as log:
            for state in ("complete", "pruned", "failed"):
                log.trial(trial(state))
            # A name that MLflow refuses: the child fails while it is being written.
            log.trial(trial("complete", parameters={"learning\trate": 0.1}))

    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(MlflowException):
        dg.materialize(
            [one],
            partition_key="2025-01-05",
            instance=instance,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    runs = mlflow.MlflowClient(settings.mlflow_uri).search_runs(["1"], order_by=["attributes.start_time DESC"])
    parent, children = runs[0], runs[1:]
    assert parent.info.status == "FAILED"
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert sorted((run.data.tags["state"], run.info.status) for run in children) == [
        ("complete", "FAILED"),
        ("complete", "FINISHED"),
        ("failed", "FAILED"),
        ("pruned", "FINISHED"),
    ]
    (kept,) = [run for run in children if run.data.metrics]
    assert kept.info.run_name == "one/lightgbm broad 3"
    assert kept.data.params == {"learning_rate": "0.1", "num_leaves": "8"}
    assert kept.data.metrics == {"loss": 0.69, "log_loss": pytest.approx(0.69), "auc": pytest.approx(0.55)}
    assert kept.info.end_time - kept.info.start_time == 5000
