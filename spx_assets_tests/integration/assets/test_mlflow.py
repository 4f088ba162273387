"""One MLflow run for each asset and partition: its own, and closed whatever happens."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import mlflow
import pytest

from spx_assets.assets.mlflow_runs import MlflowRuns
from spx_assets.settings import Settings

WEEKS = dg.WeeklyPartitionsDefinition(start_date="2025-01-05")


@contextmanager
def used(settings: Settings, context: dg.AssetExecutionContext) -> Iterator[Any]:
    with MlflowRuns(settings).run(context) as log:
        yield log


def graph(settings: Settings) -> dg.Definitions:
    @dg.asset(key=["models", "one", "lightgbm"], partitions_def=WEEKS)
    def one(context: dg.AssetExecutionContext) -> None:
        with used(settings, context):
            mlflow.log_metric("auc", 0.5)

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
