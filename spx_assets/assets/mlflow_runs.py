"""One MLflow run for each asset and partition, opened and closed around the body.

Belongs here: the wrapper around dagster-mlflow's resource. Does not: deciding what a version's metrics are.

dagster-mlflow keeps one MLflow run a Dagster run: with parallel steps its hook ends the run under the others, without it
the run stays open. Here each (asset, partition) starts its own and ends it as FINISHED, FAILED or KILLED.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean
from typing import TYPE_CHECKING, Any

import dagster as dg

from spx_assets.settings import Settings

if TYPE_CHECKING:
    from spx_assets.training.train import TrainedVersion
    from spx_assets.training.tuning.results import TrialResult

FOLDER = "artifact"
"""Where a run keeps the files of its version."""


KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Without it the MLflow UI opens the experiment as one of language models, without its runs."""


@dataclass(frozen=True)
class _Init:
    """What dagster-mlflow's `MlFlow` reads from an init context."""

    log: Any
    run_id: str
    dagster_run: Any
    resource_config: dict[str, Any]


class MlflowRuns:
    """Resource `mlflow`: `with mlflow.run(context) as log: log.version(version)`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @contextmanager
    def run(self, context: dg.AssetExecutionContext) -> Iterator["RunLog"]:
        """An MLflow run named '<asset> <partition>', tagged with the Dagster run; never left open, never shared."""
        mlflow = self._open(context)
        try:
            yield RunLog(mlflow, self._settings.mlflow_uri, self._settings.links.mlflow)
        except KeyboardInterrupt:
            mlflow.end_run(status="KILLED")
            raise
        except BaseException:
            mlflow.end_run(status="FAILED")
            raise
        mlflow.end_run(status="FINISHED")

    def _open(self, context: dg.AssetExecutionContext) -> Any:
        os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
        os.environ.setdefault("DO_NOT_TRACK", "1")
        from dagster_mlflow.resources import MlFlow

        uri = self._settings.mlflow_uri
        if not self._settings.mlflow.tracking_uri:
            ensure_experiment(self._settings)
        asset = context.asset_key.to_user_string()

        class OwnRun(MlFlow):
            """A run that is always new and named after the asset and its week."""

            def _get_current_run_id(self, experiment: Any = None, dagster_run_id: str | None = None) -> None:
                self.run_name = f"{asset} {context.partition_key}"

        return OwnRun(  # type: ignore[no-untyped-call]
            _Init(
                log=context.log,
                run_id=context.run_id,
                dagster_run=context.run,
                resource_config={
                    "mlflow_tracking_uri": uri,
                    "experiment_name": self._settings.mlflow.experiment,
                    "extra_tags": {"asset": asset, "partition": context.partition_key},
                },
            )
        )


def ensure_experiment(settings: Settings) -> str:
    """Id of the home's experiment. Its own store keeps artifacts beside its database, MLflow's default is the working folder."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    location = None
    if not settings.mlflow.tracking_uri:
        folder = settings.home / "mlflow"
        folder.mkdir(parents=True, exist_ok=True)
        location = (folder / "artifacts").as_uri()
    client, name = MlflowClient(settings.mlflow_uri), settings.mlflow.experiment
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=location, tags=KIND))
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
    assert found is not None
    return str(found.experiment_id)


class RunLog:
    """What an open run is told."""

    def __init__(self, mlflow: Any, uri: str, ui: str) -> None:
        self._mlflow = mlflow
        self._uri = uri
        run = mlflow.active_run().info
        self.url = f"{ui.rstrip('/')}/#/experiments/{run.experiment_id}/runs/{run.run_id}"
        """The run in MLflow's UI."""

    def version(self, version: "TrainedVersion") -> None:
        """Parameters, metrics, tags and the artifact's files."""
        self._mlflow.log_params(version.params())
        self._mlflow.log_metrics(version.metrics())
        self._mlflow.set_tags({"version": version.version, "digest": version.digest})
        self._mlflow.log_artifacts(str(version.folder), artifact_path=FOLDER)

    def trial(self, trial: "TrialResult") -> None:
        """A child run of one trial with the trial's own times, closed whatever happens: FAILED for a trial that failed."""
        from mlflow import MlflowClient
        from mlflow.entities import Metric, Param

        parent = self._mlflow.active_run().info
        client, began, ended = MlflowClient(self._uri), ms(trial.began), ms(trial.ended)
        child = client.create_run(
            parent.experiment_id,
            start_time=began,
            run_name=f"{trial.model} {trial.stage} {trial.number}",
            tags={"mlflow.parentRunId": parent.run_id, "stage": trial.stage, "state": trial.state},
        ).info.run_id
        status = "FAILED"
        try:
            told = {} if trial.loss is None else {"loss": trial.loss}
            if trial.losses:
                told |= {"log_loss": fmean(fold.log_loss for fold in trial.losses)}
                told |= {"auc": fmean(fold.auc for fold in trial.losses)}
            metrics = [Metric(name, value, ended, 0) for name, value in told.items()]
            client.log_batch(child, metrics, [Param(name, str(value)) for name, value in trial.parameters.items()])
            status = "FAILED" if trial.state == "failed" else "FINISHED"
        finally:
            client.set_terminated(child, status, ended)


def ms(at: datetime) -> int:
    """An instant as MLflow counts: milliseconds since the epoch."""
    return int(at.timestamp() * 1000)
